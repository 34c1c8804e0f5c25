"""Which conferences are served: notes that fail, that others change meanwhile, and that are nonsense."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.bandwidth.served import Served
from gateway.adapter import Notes
from gateway.model.errors import LinkDown, NotesUnavailable


class Memory(Notes):
    """Notes that fail, or wait, when a test wants it."""

    def __init__(self, **texts: str) -> None:
        self.texts = {key.replace("_", ":", 1): text for key, text in texts.items()}
        self.broken = False
        self.read = asyncio.Event()
        self.slow: asyncio.Event | None = None

    async def all(self) -> Mapping[str, str]:
        self._work()
        texts = dict(self.texts)
        self.read.set()
        if self.slow is not None:
            await self.slow.wait()
        return texts

    async def put(self, key: str, text: str) -> None:
        self._work()
        await asyncio.sleep(0)
        self.texts[key] = text

    async def drop(self, key: str) -> None:
        self._work()
        await asyncio.sleep(0)
        self.texts.pop(key, None)

    def _work(self) -> None:
        if self.broken:
            raise NotesUnavailable("the disk is full")


def kept_in(notes: Notes) -> Served:
    served = Served()
    served.keep_in(notes)
    return served


async def loaded(notes: Memory) -> Served:
    served = kept_in(notes)
    await served.load()
    return served


async def test_what_one_process_serves_another_knows() -> None:
    notes = Memory()
    one, other = await loaded(notes), await loaded(notes)
    await one.add("conf-1", "Board")
    await one.add("conf-2", None)
    await other.load()
    assert dict(other.names) == {"conf-1": "Board", "conf-2": None}
    await one.add("conf-1", "Sales")
    await other.drop("conf-2")
    assert dict((await loaded(notes)).names) == {"conf-1": "Sales"}
    assert dict(one.names) == {"conf-1": "Sales", "conf-2": None}  # until it looks again
    await one.load()
    assert dict(one.names) == {"conf-1": "Sales"}


@pytest.mark.parametrize("note", ["", "{", "[]", '{"name":7}', "null", '{"name":"Board","more":1}'])
async def test_a_note_of_another_version_costs_the_name_at_most(note: str) -> None:
    served = await loaded(Memory(conference_1=note, other="x"))
    assert dict(served.names) in ({"1": None}, {"1": "Board"})


async def test_notes_that_have_never_been_read_are_a_link_that_is_down_with_the_reason() -> None:
    notes = Memory()
    notes.broken = True
    for work in (kept_in(notes).load, kept_in(notes).know_secret):
        with pytest.raises(LinkDown, match="the disk is full"):
            await work()


async def test_notes_that_fail_later_cost_nothing_that_is_known() -> None:
    notes = Memory(conference_1="{}")
    served = await loaded(notes)
    secret = await served.know_secret()
    notes.broken = True
    await served.load()
    assert await served.know_secret() == secret == served.secret
    await served.add("conf-2", "Board")
    await served.drop("1")
    assert dict(served.names) == {"conf-2": "Board"}
    assert served.unwritten == 2
    notes.broken = False
    await served.load()
    assert served.unwritten == 0
    assert dict(served.names) == {"conf-2": "Board"}
    assert set(notes.texts) == {"callback-secret", "conference:conf-2"}


async def test_what_changes_while_notes_are_read_is_not_undone_by_what_was_read() -> None:
    notes = Memory(conference_1="{}")
    served = await loaded(notes)
    notes.read.clear()
    notes.slow = asyncio.Event()
    loading = asyncio.create_task(served.load())
    await notes.read.wait()
    changing = [asyncio.create_task(served.add("conf-2", "Board")), asyncio.create_task(served.drop("1"))]
    await asyncio.sleep(0)
    notes.slow.set()
    await asyncio.gather(loading, *changing)
    assert dict(served.names) == {"conf-2": "Board"}
    assert served.unwritten == 0
    assert set(notes.texts) == {"conference:conf-2"}


async def test_many_changes_at_once_end_with_the_last() -> None:
    notes = Memory()
    served = await loaded(notes)
    notes.broken = True
    await asyncio.gather(*(served.add(f"conf-{nth % 5}", str(nth)) for nth in range(20)))
    notes.broken = False
    changes = [served.add(f"conf-{nth % 5}", str(nth)) for nth in range(20, 40)]
    await asyncio.gather(served.load(), *changes, served.load(), served.drop("conf-4"))
    assert served.unwritten == 0
    assert dict(served.names) == {f"conf-{nth}": str(35 + nth) for nth in range(4)}
    assert dict((await loaded(notes)).names) == dict(served.names)


async def test_the_secret_is_made_once_for_all_processes() -> None:
    notes = Memory()
    one, other = kept_in(notes), kept_in(notes)
    made = await one.know_secret()
    assert len(made) >= 32
    assert await other.know_secret() == made


async def test_of_secrets_that_were_made_at_the_same_time_one_is_left() -> None:
    notes = Memory()
    both = [kept_in(notes), kept_in(notes)]
    await asyncio.gather(*(each.know_secret() for each in both))
    for each in both:
        try:
            await each.load()
        except LinkDown:  # the feed begins again
            await each.know_secret()
    assert {each.secret for each in both} == {notes.texts["callback-secret"]}
