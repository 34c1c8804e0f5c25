"""GraphQL over HTTP, as the reference implementation audits it."""

from tests.conformance.clients import Clients
from tests.protocol.front import Front


async def test_the_audit_of_graphql_http_finds_nothing_to_say(clients: Clients, front: Front) -> None:
    async with clients.running("audit", front.url) as audit:
        await audit.finished()
    points = audit.told["point"]
    assert [point for point in points if point["status"] != "ok"] == []
    assert len(points) == 61
