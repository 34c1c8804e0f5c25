"""The table of what backends can do: a cell for each, and why not."""

from gateway.commands.capabilities import as_markdown, as_text
from gateway.live.live import ConfiguredBackend
from gateway.model.capability import Capability, absent, native
from gateway.model.ids import BackendId
from tests.switchboard import NO_HOLD, Switchboard


def backends() -> list[ConfiguredBackend]:
    office, cloud = Switchboard(), Switchboard()
    cloud.abilities[Capability.HOLD] = native("a method", "here", reason="for a minute | at most")
    cloud.abilities[Capability.LOCK] = absent("who is out stays out", "here")
    return [
        ConfiguredBackend(BackendId("office"), "Office", office),
        ConfiguredBackend(BackendId("cloud"), "Cloud|West\n", cloud),
    ]


def test_each_capability_is_a_row_and_each_backend_a_column() -> None:
    table, *reasons = "\n".join(as_text(backends())).split("\n\n")
    head, *rows = table.splitlines()
    assert head.split() == ["Office", "Cloud|West"]
    assert [row.split()[0] for row in rows] == list(Capability)
    cells = {row.split()[0]: row.split(maxsplit=1)[1].strip() for row in rows}
    assert cells["HOLD"].split() == ["–", "NATIVE"]
    assert cells["KICK_ALL"].split() == ["COMPOSED", "COMPOSED"]
    assert cells["HOLD_ROOM"].split() == ["PHONE", "*6", "PHONE", "*6"]
    assert head.index("Cloud") == rows[0].index("NATIVE", rows[0].index("NATIVE") + 1), "columns stand below each other"
    office, cloud = reasons
    assert office.splitlines()[:2] == ["Office", f"  HOLD, UNHOLD: {NO_HOLD}"]
    assert "  HOLD_ROOM: only by keys" in office.splitlines()
    assert "  HOLD: for a minute | at most" in cloud.splitlines()
    assert "  LOCK: who is out stays out" in cloud.splitlines()


def test_the_table_for_documentation_is_markdown() -> None:
    head, line, *rows = as_markdown(backends())
    assert (head, line) == ("| capability | Office | Cloud\\|West |", "|---|---|---|")
    assert len(rows) == len(Capability)
    assert "| `HOLD` | – | native |" in rows
    assert "| `HOLD_ROOM` | phone `*6` | phone `*6` |" in rows
    assert "| `KICK_ALL` | composed | composed |" in rows
