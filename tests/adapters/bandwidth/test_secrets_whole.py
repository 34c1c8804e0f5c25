"""The adapter behind a gateway: token, secret and the secret of the hook are shown nowhere, whatever happens to it."""

import asyncio
import base64
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.check import check
from gateway.model.commands import Action
from tests.adapters.bandwidth.bandwidth_gateway import ANN, BEN, SECRET, TOKEN, House, house, simulated
from tests.secrecy import logged

BASIC = base64.b64encode(f"{TOKEN}:{SECRET}".encode()).decode()
WRONG = "wrong-secret-8e21"


def a_fault(name: str, value: object = True) -> Callable[[House], object]:
    return lambda there: setattr(there.sim.faults, name, value)


TROUBLES: dict[str, Callable[[House], object]] = {
    "none": lambda there: None,
    "401": a_fault("http_status", 401),
    "403": a_fault("http_status", 403),
    "500": a_fault("http_status", 500),
    "hangs": a_fault("hang"),
    "lost answers": a_fault("lose_answers"),
    "rate limit": lambda there: setattr(there.sim, "requests_per_second", 1),
    "no JSON": a_fault("answer_with", f"{SECRET} {TOKEN}".encode()),
    "no number": a_fault("no_numbers"),
    "no database": lambda there: setattr(there.notes, "broken", True),
}


@pytest.mark.usefixtures("everything_is_logged")
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    shown: list[object] = []
    async with house(tmp_path, request_timeout_s=2, poll_interval_s=0.2) as there:
        conference, (ann, ben) = await there.meeting(ANN, BEN)
        told = str(there.told_at(conference))
        hook = there.hook_secret
        assert hook in told
        TROUBLES[trouble](there)
        there.answer_within(0.5)
        shown += [await there.call_hook(body, hook) for body in (b"garbage", hook.encode())]
        shown.append(await there.call_hook(b"{}", WRONG))
        shown += [await there.create("Another"), await there.invite(conference, "+12025550177")]
        shown += [await there.update(conference, {"tag": "x"}), await there.adopt("conf-unknown")]
        shown += [await there.do_to(Action.MUTE, conference, ann), await there.do_to(Action.KICK, conference, ben)]
        shown += [await there.do_in(Action.CLOSE, conference), there.seat.link.status_reason, there.adapter.troubles]
        shown += [there.seat.seen, list(there.seat.live.rooms()), vars(there.adapter), there.adapter._settings]
        shown += [each.room.settings and each.room.settings.native for each in there.seat.live.rooms()]
        shown += [vars(there.adapter._reader), vars(there.adapter._commander), *asyncio.all_tasks()]
    everything = "\n".join(map(repr, shown)) + logged(caplog)
    given = base64.b64encode(f"gateway:{hook}".encode()).decode()
    for name, secret in {"token": TOKEN, "secret": SECRET, "both": BASIC, "hook": hook, "given": given}.items():
        where = everything.find(secret)
        assert where < 0, f"the {name}: {everything[max(0, where - 200) : where + 50]}"


async def test_the_settings_of_a_room_have_the_address_without_its_secret(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        conference, _ = await there.meeting(ANN)
        settings = there.room(conference).settings
        assert settings is not None
        assert settings.native["callbackUrl"] == there.hook
        assert there.hook_secret not in repr(dict(settings.native))
        theirs = there.sim.open_conference(callback_url="https://user:their-secret@elsewhere.example/")
        await there.adopt(theirs)
        assert there.native(theirs)["callbackUrl"] == "https://elsewhere.example/"


CONFIG = """
[storage]
url = "sqlite:///{folder}/check.sqlite3"

[[backends]]
id = "bw"
kind = "bandwidth"
name = "Bandwidth"
url = "{url}"
user_id = "{user}"
token = "{token}"
secret = "{secret}"
number = "{number}"
callback_url = "http://127.0.0.1:9/hooks/bw/"
"""


@pytest.mark.parametrize("secret", [SECRET, WRONG])
async def test_check_shows_no_secret(tmp_path: Path, secret: str) -> None:
    config = tmp_path / "gateway.toml"
    async with simulated() as (there, _):
        sim = there.sim
        config.write_text(
            CONFIG.format(folder=tmp_path, url=sim.url, user=sim.user_id, token=TOKEN, secret=secret, number=sim.number)
        )
        result = await asyncio.to_thread(CliRunner().invoke, check, ["--config", str(config)])
    assert ("signed in" in result.output) is (secret == SECRET), result.output
    assert result.exit_code == (0 if secret == SECRET else 1)
    for each in (TOKEN, secret, BASIC):
        assert each not in result.output


def test_these_tests_would_find_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("anything").warning("with %s", SECRET)
    assert SECRET in logged(caplog)
