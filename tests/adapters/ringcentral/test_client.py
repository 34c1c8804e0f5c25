"""RingCentral's endpoints: what is sent to each, in which rate group, and what is read of the answer."""

import pytest
from aiohttp import web

from adapters.kit.understanding import NotUnderstoodError
from adapters.ringcentral.client import Client
from adapters.ringcentral.errors import RefusedError
from adapters.ringcentral.pace import Group
from adapters.ringcentral.transport import Request
from tests.adapters.ringcentral.signed_in import Scene, answering, ringcentral, seat_at, served, settings_for


class Noting:
    """Stands where the transport does, and notes what it would have sent."""

    def __init__(self, answer: object = None) -> None:
        self.settings = settings_for("http://127.0.0.1")
        self.requests: list[Request] = []
        self._answer = answer

    async def ask(self, request: Request) -> object:
        self.requests.append(request)
        return self._answer


def noting(answer: object = None) -> tuple[Client, list[Request]]:
    transport = Noting(answer)
    return Client(transport), transport.requests  # type: ignore[arg-type]  # it has what the client uses


def line(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return f"{request.method} /{'/'.join(request.path)}{'?' if query else ''}{query}"


SESSION = {"id": "s-1"}
PARTY = {"id": "p-1"}
BASE = "/restapi/v1.0/account/~"


@pytest.mark.parametrize(
    ("what", "args", "answer", "sent", "group", "urgent", "body"),
    [
        ("create_conference", (), {"session": SESSION}, f"POST {BASE}/telephony/conference", "heavy", True, {}),
        ("session", ("s-1",), SESSION, f"GET {BASE}/telephony/sessions/s-1", "light", False, None),
        ("delete_session", ("s-1",), None, f"DELETE {BASE}/telephony/sessions/s-1", "light", True, None),
        (
            "bring_in",
            ("s-1", "s-2", "p-2"),
            PARTY,
            f"POST {BASE}/telephony/sessions/s-1/parties/bring-in",
            "light",
            True,
            {"sessionId": "s-2", "partyId": "p-2"},
        ),
        ("party", ("s-1", "p-1"), PARTY, f"GET {BASE}/telephony/sessions/s-1/parties/p-1", "light", False, None),
        (
            "delete_party",
            ("s-1", "p-1"),
            None,
            f"DELETE {BASE}/telephony/sessions/s-1/parties/p-1",
            "light",
            True,
            None,
        ),
        ("hold", ("s-1", "p-1"), PARTY, f"POST {BASE}/telephony/sessions/s-1/parties/p-1/hold", "light", True, None),
        (
            "unhold",
            ("s-1", "p-1"),
            PARTY,
            f"POST {BASE}/telephony/sessions/s-1/parties/p-1/unhold",
            "light",
            True,
            None,
        ),
        (
            "call_out",
            ("d-1", {"phoneNumber": "+15550100"}),
            {"session": SESSION},
            f"POST {BASE}/telephony/call-out",
            "heavy",
            True,
            {"from": {"deviceId": "d-1"}, "to": {"phoneNumber": "+15550100"}},
        ),
        ("extension", (), {"id": 7}, f"GET {BASE}/extension/~", "light", False, None),
        ("presence", (), {}, f"GET {BASE}/extension/~/presence?detailedTelephonyState=true", "light", False, None),
        (
            "account_presence",
            (),
            {"records": []},
            f"GET {BASE}/presence?detailedTelephonyState=true&page=1&perPage=100",
            "heavy",
            False,
            None,
        ),
        ("devices", (), {"records": []}, f"GET {BASE}/extension/~/device?page=1&perPage=100", "light", True, None),
        ("subscriptions", (), {"records": []}, "GET /restapi/v1.0/subscription", "light", False, None),
        ("subscription", ("x",), {"id": "x"}, "GET /restapi/v1.0/subscription/x", "light", False, None),
        ("renew_subscription", ("x",), {"id": "x"}, "POST /restapi/v1.0/subscription/x/renew", "light", False, None),
        ("delete_subscription", ("x",), None, "DELETE /restapi/v1.0/subscription/x", "medium", False, None),
        (
            "create_subscription",
            (["/f"], "https://g/hooks/rc/", "v", 60),
            {"id": "x"},
            "POST /restapi/v1.0/subscription",
            "medium",
            False,
            {
                "eventFilters": ["/f"],
                "deliveryMode": {
                    "transportType": "WebHook",
                    "address": "https://g/hooks/rc/",
                    "verificationToken": "v",
                },
                "expiresIn": 60,
            },
        ),
        ("wstoken", (), {"uri": "wss://x", "ws_access_token": "t"}, "POST /restapi/oauth/wstoken", "auth", True, None),
    ],
)
async def test_each_endpoint_is_asked_in_its_rate_group_and_commands_go_first(
    what: str, args: tuple[object, ...], answer: object, sent: str, group: str, urgent: bool, body: object
) -> None:
    client, requests = noting(answer)
    await getattr(client, what)(*args)
    (request,) = requests
    assert line(request) == sent
    assert (request.group, request.urgent, request.body) == (Group(group), urgent, body)


async def test_muting_is_sent_as_ringcentrals_own_client_does() -> None:
    client, requests = noting(PARTY)
    await client.change_party("s-1", "p-1", muted=False)
    assert line(requests[0]) == f"PATCH {BASE}/telephony/sessions/s-1/parties/p-1"
    assert requests[0].body == {"muted": False}


async def test_a_host_who_leaves_the_others_says_so() -> None:
    client, requests = noting()
    await client.delete_party("s-1", "p-1", keep_conference=True)
    assert requests[0].body == {"keepConferenceAlive": True}


@pytest.mark.parametrize("answer", [SESSION, {"session": SESSION}])
async def test_a_session_is_read_in_either_wrapping(answer: object) -> None:
    client, _ = noting(answer)
    assert await client.session("s-1") == SESSION
    assert await client.create_conference() == SESSION


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"session": {}}, {"session": []}, {"id": 5}, {"id": "s", "origin": 1}]
)
async def test_a_session_that_makes_no_sense_is_not_understood(answer: object) -> None:
    client, _ = noting(answer)
    with pytest.raises(NotUnderstoodError):
        await client.create_conference()


async def test_one_malformed_leg_does_not_cost_the_session() -> None:
    client, _ = noting({"id": "s-1", "parties": [{"id": 5}, {"id": "p-1"}], "surplus": 1})
    assert await client.session("s-1") == {"id": "s-1", "parties": [{"id": 5}, {"id": "p-1"}]}


@pytest.mark.parametrize("word", ["", ".", ".."])
async def test_an_id_that_is_no_word_of_a_path_names_nothing(word: str) -> None:
    client, requests = noting(PARTY)
    assert await client.session(word) is None
    await client.delete_session(word)
    for work in (client.bring_in(word, "s", "p"), client.party("s", word), client.delete_party("s", word)):
        with pytest.raises(RefusedError):
            await work
    assert not requests


async def test_lists_are_read_page_by_page() -> None:
    pages = []

    async def answer(request: web.Request) -> web.StreamResponse:
        pages.append(request.query["page"])
        records = [{"id": f"d{request.query['page']}"}]
        return web.json_response({"records": records, "paging": {"page": 1, "totalPages": 3}})

    async with served(answer) as url, seat_at(url) as seat:
        assert [device["id"] for device in await seat.client.devices()] == ["d1", "d2", "d3"]
    assert pages == ["1", "2", "3"]


async def test_a_list_without_an_end_is_given_up() -> None:
    client, requests = noting({"records": [], "paging": {"totalPages": 10**9}})
    with pytest.raises(NotUnderstoodError, match="no end"):
        await client.devices()
    assert len(requests) == 1000


async def test_an_unknown_address_is_not_a_session_that_has_ended() -> None:
    async with served(answering({"errorCode": "CMN-120"}, 404)) as url, seat_at(url) as seat:
        with pytest.raises(RefusedError):
            await seat.client.session("s-1")
        with pytest.raises(RefusedError):
            await seat.client.delete_session("s-1")


# ---- against a simulated RingCentral ----


async def conference(scene: Scene) -> tuple[str, str]:
    """Create a conference with the host in it, and a call that is up."""
    made = await scene.client.create_conference()
    assert made.get("voiceCallToken")
    scene.sim.host_dials(made["id"])
    return made["id"], scene.sim.make_call(scene.host)


async def test_a_conference_from_its_creation_to_its_end() -> None:
    async with ringcentral() as scene:
        client, sim = scene.client, scene.sim
        room, call = await conference(scene)
        leg = await client.bring_in(room, call, sim.own_party_id(call))
        assert leg.get("conferenceRole") == "Participant"
        assert (await client.change_party(room, leg["id"], muted=True)).get("muted") is True
        assert (await client.party(room, leg["id"])).get("muted") is True
        found = await client.session(room)
        assert found is not None
        assert len(found.get("parties") or []) == 2
        await client.delete_party(room, leg["id"])
        await client.delete_session(room)
        assert await client.session(room) is None
        await client.delete_session(room)


async def test_a_conference_without_its_host_takes_nobody() -> None:
    async with ringcentral() as scene:
        made = await scene.client.create_conference()
        call = scene.sim.make_call(scene.host)
        with pytest.raises(RefusedError) as caught:
            await scene.client.bring_in(made["id"], call, scene.sim.own_party_id(call))
        assert (caught.value.status, caught.value.codes) == (403, ("TAS-106",))


async def test_a_leg_is_put_on_hold_and_taken_back() -> None:
    async with ringcentral() as scene:
        call = scene.sim.make_call(scene.host)
        leg = scene.sim.own_party_id(call)
        assert ((await scene.client.hold(call, leg)).get("status") or {}).get("code") == "Hold"
        assert ((await scene.client.unhold(call, leg)).get("status") or {}).get("code") == "Answered"


async def test_a_phone_of_ours_calls_somebody() -> None:
    async with ringcentral() as scene:
        devices = await scene.client.devices()
        phone = next(device for device in devices if device.get("type") == "HardPhone")
        session = await scene.client.call_out(phone["id"], {"phoneNumber": "+12025550199"})
        assert session["id"].startswith("s-")


async def test_who_we_are_and_what_we_are_in_can_be_read() -> None:
    async with ringcentral() as scene:
        room, _ = await conference(scene)
        extension = await scene.client.extension()
        assert str(extension["id"]) == scene.host.extension_id
        for presence in (await scene.client.presence(), *await scene.client.account_presence()):
            calls = presence.get("activeCalls") or []
            assert room in [call.get("telephonySessionId") for call in calls if call.get("to") == "conference"]
