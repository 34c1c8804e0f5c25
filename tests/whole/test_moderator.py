"""A moderator's hour: what they ask for in GraphQL, what crosses XiVO's wire, and what comes back."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from adapters.xivo.simulator import XivoSimulator
from tests.whole.commands import finished, running

_ROOM = "4001"
_PASSWORD = "pass-of-nobody"
_RESULT = "outcome position errors { code message }"
_MUTE = f"muteParticipant(input: {{participantId: $id}}) {{ {_RESULT} participant {{ displayName muted }} }}"
_DEAFEN = (
    f"deafenParticipant(input: {{participantId: $id}}) {{ {_RESULT} participant {{ displayName deafened muted }} }}"
)
_KICK = f"kickParticipant(input: {{participantId: $id}}) {{ {_RESULT} participant {{ displayName }} }}"
_FOLLOW = """subscription ($room: ID!) { roomEvents(roomId: $room) {
    __typename
    ... on RoomSnapshot { room { name detail me { displayName role } participantCount } }
    ... on ParticipantJoined { participant { displayName number role } }
    ... on ParticipantUpdated { changed participant { displayName muted deafened } }
    ... on ParticipantLeft { leaveReason participant { displayName } }
    ... on RoomUpdated { changed room { detail } }
} }"""


@asynccontextmanager
async def _xivo() -> AsyncIterator[XivoSimulator]:
    async with XivoSimulator() as xivo:
        xivo.add_user("gateway", _PASSWORD, name="Gateway", number="1000")
        xivo.add_user("ada", _PASSWORD, name="Ada Lambert", number="1001")
        xivo.add_user("ben", _PASSWORD, name="Ben Roussel", number="1002")
        xivo.add_room(_ROOM, "Support", pin="1234", organizer_pin="9876")
        yield xivo


def _config(folder: Path, xivo: XivoSimulator, **accounts: str) -> str:
    path = folder / "gateway.toml"
    further = ", ".join(f"{login} = {json.dumps(password)}" for login, password in accounts.items())
    path.write_text(
        f'[storage]\nurl = "sqlite:///{folder / "gateway.sqlite3"}"\n[viewer.identities]\nparis = "ada"\n'
        f'[limits]\nconfirm_s = 30\n[[backends]]\nid = "paris"\nkind = "xivo"\nname = "Paris"\nurl = "{xivo.url}"\n'
        f'login = "gateway"\npassword = "{_PASSWORD}"\naccounts = {{{further}}}\n',
        encoding="utf-8",
    )
    return str(path)


class Moderator:
    """Somebody with a GraphQL client, and an eye on the wire between gateway and XiVO."""

    def __init__(self, session: Any, xivo: XivoSimulator) -> None:
        self._session = session
        self._xivo = xivo
        self.transcript: list[tuple[str, Any]] = []

    async def ask(self, field: str, **variables: str) -> dict[str, Any]:
        """Do one mutation; note what was asked, what crossed the wire meanwhile, and what was answered."""
        commands, frames = len(self._xivo.commands), len(self._xivo.frames_sent)
        types = ", ".join(f"${name}: ID!" for name in variables)
        document = gql(f"mutation {'(' + types + ')' if types else ''} {{ {field} }}")
        document.variable_values = variables
        (answer,) = (await self._session.execute(document)).values()
        self.transcript.append(("asked", field))
        self.transcript += [("to XiVO", each) for each in list(self._xivo.commands)[commands:]]
        self.transcript += [("from XiVO", each) for each in list(self._xivo.frames_sent)[frames:]]
        self.transcript.append(("answered", answer))
        return answer

    @property
    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """The commands that have reached XiVO, each with the account that sent it."""
        return [(login, frame) for login, frame in self._xivo.commands]


async def test_a_moderator_mutes_deafens_kicks_mutes_all_invites_and_closes(tmp_path: Path) -> None:
    async with _xivo() as xivo:
        serve = (
            "serve",
            "--config",
            _config(tmp_path, xivo, ada=_PASSWORD),
            "--insecure-no-auth",
            "--port=0",
            "--json",
        )
        async with (
            running(*serve) as (_, addresses),
            Client(transport=WebsocketsTransport(addresses["ws"])) as session,
        ):
            await xivo.until(lambda: "ada" in xivo.logins and "gateway" in xivo.subscribed)
            xivo.someone_joins(_ROOM, login="ada", organizer=True)
            others = [
                xivo.someone_joins(_ROOM, name, f"019900010{nth}") for nth, name in enumerate(("Cem", "Dov", "Eve"))
            ]
            transcript, events = await moderate(session, xivo, len(others) + 1)
        told = [each[1] for each in transcript if each[0] == "answered"]
        assert [each["outcome"] for each in told] == ["CONFIRMED"] * 6
        assert [each["errors"] for each in told] == [[]] * 6
        web = {"claz": "web", "numConf": _ROOM}
        assert [each[1] for each in transcript if each[0] == "to XiVO"] == [
            ("ada", {**web, "command": "conferenceMute", "index": 2}),
            ("ada", {**web, "command": "conferenceDeafen", "index": 3}),
            ("ada", {**web, "command": "conferenceKick", "index": 4}),
            ("ada", {**web, "command": "conferenceMuteAll"}),
            ("ada", {**web, "command": "conferenceInvite", "exten": "1002", "role": "User", "earlyJoin": True}),
            ("ada", {**web, "command": "conferenceClose"}),
        ]
        gists = [_gist(event) for event in events if event["__typename"] != "RoomUpdated"]
        assert gists[:6] == [
            "RoomSnapshot Ada Lambert",
            "ParticipantUpdated Cem MUTED",
            "ParticipantUpdated Dov DEAFENED",
            "ParticipantLeft Eve KICKED",
            "ParticipantUpdated Dov MUTED",
            "ParticipantJoined Ben Roussel",
        ]
        everybody = ("Ada Lambert", "Ben Roussel", "Cem", "Dov")
        assert sorted(gists[6:]) == [*(f"ParticipantLeft {name} ROOM_CLOSED" for name in everybody), "RoomEnded"]


async def moderate(
    session: Any, xivo: XivoSimulator, people: int
) -> tuple[list[tuple[str, Any]], list[dict[str, Any]]]:
    """Go through the hour; give what was asked, sent, received and answered, and the events of the room."""
    moderator, ids = Moderator(session, xivo), {}
    while len(ids) < people:
        room, ids = await _room(session)
    follow = gql(_FOLLOW)
    follow.variable_values = {"room": room}
    events: list[dict[str, Any]] = []
    async with aclosing(session.subscribe(follow)) as following:
        events.append((await anext(following))["roomEvents"])
        await moderator.ask(_MUTE, id=ids["Cem"])
        await moderator.ask(_DEAFEN, id=ids["Dov"])
        await moderator.ask(_KICK, id=ids["Eve"])
        await moderator.ask(f"muteAll(input: {{roomId: $room}}) {{ {_RESULT} }}", room=room)
        invite = f'inviteParticipant(input: {{roomId: $room, destination: "1002", earlyJoin: true}}) {{ {_RESULT} }}'
        await moderator.ask(invite, room=room)
        await moderator.ask(f"closeRoom(input: {{roomId: $room}}) {{ {_RESULT} }}", room=room)
        while events[-1]["__typename"] != "RoomEnded":
            events.append((await anext(following))["roomEvents"])
    return moderator.transcript, events


async def _room(session: Any) -> tuple[str, dict[str, str]]:
    query = gql("{ rooms { edges { node { id participants { edges { node { id displayName role } } } } } } }")
    (edge,) = (await session.execute(query))["rooms"]["edges"]
    people = [each["node"] for each in edge["node"]["participants"]["edges"]]
    return edge["node"]["id"], {each["displayName"]: each["id"] for each in people if each["role"] is not None}


def _gist(event: dict[str, Any]) -> str:
    who = event.get("participant") or event.get("room", {}).get("me") or {}
    what = [*event.get("changed", ()), event.get("leaveReason")]
    return " ".join(filter(None, (event["__typename"], who.get("displayName"), *what)))


async def test_check_names_the_account_that_has_no_line_and_no_secret(tmp_path: Path) -> None:
    async with _xivo() as xivo:
        xivo.add_user("web", _PASSWORD, name="Web service")
        code, out, err = await finished("check", "--config", _config(tmp_path, xivo, ada=_PASSWORD, web=_PASSWORD))
        assert code == 1
        assert "1 rooms read" in out
        assert "the XiVO account 'web' has no line: conferences need one" in out
        _holds_no_secret(xivo, out + err)


async def test_check_names_the_account_whose_password_is_wrong_and_no_secret(tmp_path: Path) -> None:
    async with _xivo() as xivo:
        code, out, err = await finished("check", "--config", _config(tmp_path, xivo, ada="what-nobody-knows"))
        assert code == 1
        assert "XiVO does not know the account 'ada' or its password" in out
        assert "what-nobody-knows" not in out + err
        _holds_no_secret(xivo, out + err)


async def test_no_secret_is_in_what_the_gateway_tells_of_its_backends(tmp_path: Path) -> None:
    async with _xivo() as xivo:
        config = _config(tmp_path, xivo, ada=_PASSWORD, ben="what-nobody-knows")
        serve = ("serve", "--config", config, "--insecure-no-auth", "--port=0", "--json")
        query = {"query": "{ backends { name status statusReason capabilities { capability reason } } }"}
        async with running(*serve) as (_, addresses), aiohttp.ClientSession() as http:
            await xivo.until(lambda: "gateway" in xivo.subscribed)
            async with http.post(addresses["graphql"], json=query) as response:
                told = await response.text()
            async with http.get(addresses["graphql"].replace("/graphql", "/readyz")) as response:
                ready = await response.text()
    assert "ben" in ready
    assert "what-nobody-knows" not in told + ready
    _holds_no_secret(xivo, told + ready)


def _holds_no_secret(xivo: XivoSimulator, text: str) -> None:
    lines = [json.loads(frame)["ctiMessage"] for _, frame in xivo.frames_sent if "LineConfig" in frame]
    secrets = [_PASSWORD, *xivo.tokens, *(line["password"] for line in lines if "password" in line)]
    assert len(secrets) > len(xivo.tokens) + 1
    assert xivo.tokens
    assert not [secret for secret in secrets if secret in text]
