"""The npm clients as they come: each gets every event of a lively room, over each transport it speaks."""

import pytest

from tests.conformance.clients import Clients
from tests.conformance.meeting import GUESTS, ROOM, Meeting, told_after
from tests.gateway.schema.house import gid
from tests.protocol.front import Front

SPOKEN = [
    ("graphql_ws", "ws"),
    ("graphql_sse", "sse"),
    ("graphql_sse", "sse-single"),
    ("apollo", "ws"),
    ("apollo", "multipart"),
    ("apollo", "legacy-ws"),
    ("urql", "ws"),
    ("urql", "sse"),
    ("relay", "ws"),
    ("url_loader", "ws"),
    ("url_loader", "sse"),
    ("url_loader", "sse-stream"),
    ("url_loader", "legacy-ws"),
    ("subscriptions_transport_ws", "legacy-ws"),
]


@pytest.mark.parametrize(("name", "transport"), SPOKEN)
async def test_a_client_gets_every_event_once_and_in_order(
    clients: Clients, front: Front, name: str, transport: str
) -> None:
    room = await front.house.with_people(ROOM, *GUESTS)
    place = (transport, front.url, front.ws_url, room, gid(ROOM, GUESTS[0]))
    async with clients.running(name, *place) as client:
        await client.until(lambda: "mutation" in client.told)
        await Meeting(front.house).run()
        await client.finished()
    snapshot, *events = client.told["event"]
    assert (snapshot["__typename"], snapshot["snapshotReason"]) == ("RoomSnapshot", "START")
    present = snapshot["room"]["participants"]["edges"]
    assert {each["node"]["id"] for each in present} == {gid(ROOM, guest) for guest in GUESTS}
    published = told_after(front.house, snapshot["position"])
    assert len(published) > 100
    assert events == published
    (answer,), (done,) = client.told["query"], client.told["mutation"]
    assert answer == {"__typename": "Room", "id": room, "name": "Board", "participantCount": 2}
    assert (done["outcome"], done["participant"]["muted"]) == ("CONFIRMED", True)
    assert (done["position"], ["MUTED"]) == (events[0]["position"], events[0]["changed"])
