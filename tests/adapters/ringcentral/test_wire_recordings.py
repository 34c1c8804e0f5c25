"""The two events of the seed over a real socket and to a real hook, byte for byte: somebody joined, and left."""

from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from gateway.model.ids import ParticipantId
from gateway.model.room import LeaveReason, Participant, ParticipantRole, RoomState
from tests.adapters.ringcentral.ringcentral_gateway import WAYS, House, house

RECORDINGS = Path(__file__).parents[2] / "recordings" / "ringcentral"
CONFERENCE = "s-a0d7bfa2dd198z18deb4fcc72z184536c0000"
HOST, GUEST = "p-a0d7bfa2dd198z18deb4fcc72z184536c0000-1", "p-a0d7bfa2dd198z18deb4fcc72z184536c0000-2"
PACO = Participant(
    id=ParticipantId(GUEST),
    leg_id="p-a0d17b82ddacdz18deb4ee132z1878e190000-1",
    display_name="Paco Vu",
    number="11119",
    user_id="622883XXXXX",
    role=ParticipantRole.PARTICIPANT,
    joined_at=datetime(2024, 2, 27, 16, 4, 52, 223000, tzinfo=UTC),
)


def open_the_conference_of_the_seed(there: House) -> None:
    """Let the conference that the seed's call was merged into be one that can be read, and let its host dial in."""
    made = there.sim.session(there.sim.open_conference(there.host, hosted=False))
    del there.sim._sessions.by_id[made.session_id]
    made.session_id = CONFERENCE
    there.sim._sessions.by_id[CONFERENCE] = made
    assert there.sim.host_dials(CONFERENCE) == HOST


async def say(there: House, way: str, recording: str) -> None:
    """Send a recording as it stands: as a frame's body, or as the body of a post."""
    raw = (RECORDINGS / recording).read_bytes()
    if way == "websocket":
        there.sim.send_raw(b'[{"type":"ServerNotification","messageId":"1","status":200},' + raw + b"]")
        return
    [subscription] = there.sim.subscriptions
    headers = {"Verification-Token": subscription.verification_token or "", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http, http.post(there.hook, data=raw, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host_first", [True, False])
async def test_somebody_joined_and_left(tmp_path: Path, way: str, host_first: bool) -> None:
    """The call tells both; the room may not be known before: then it is read."""
    async with house(tmp_path, notifications=way) as there:
        there.sim.faults.lose_events = not host_first
        open_the_conference_of_the_seed(there)
        if host_first:
            await there.until_shown(CONFERENCE, HOST)
        await say(there, way, "seed-added.json")
        await there.until_shown(CONFERENCE, HOST, GUEST)
        assert there.people(CONFERENCE)[PACO.id] == PACO
        assert there.room(CONFERENCE).state is RoomState.ACTIVE
        await say(there, way, "seed-added.json")
        await say(there, way, "seed-removed.json")
        await there.until_shown(CONFERENCE, HOST)
        assert there.joined(CONFERENCE) == [HOST, GUEST]
        assert there.left(CONFERENCE) == [(GUEST, LeaveReason.UNKNOWN)]
        assert there.adapter.misunderstood == 0


@pytest.mark.parametrize("way", WAYS)
async def test_in_the_wrong_order_they_joined_and_left_all_the_same(tmp_path: Path, way: str) -> None:
    async with house(tmp_path, notifications=way) as there:
        open_the_conference_of_the_seed(there)
        await there.until_shown(CONFERENCE, HOST)
        await say(there, way, "seed-removed.json")
        await say(there, way, "seed-added.json")
        await there.until(lambda: there.left(CONFERENCE))
        assert there.joined(CONFERENCE) == [HOST, GUEST]
        assert set(there.people(CONFERENCE)) == {HOST}
