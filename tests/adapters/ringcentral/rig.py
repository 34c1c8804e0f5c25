"""RingCentral's rigs, and who really is where, as any client of it would find out."""

import time
from collections.abc import Callable, Mapping, Set
from functools import partial
from typing import Literal

import aiohttp
import msgspec

from adapters.ringcentral import RingCentralAdapter
from adapters.ringcentral.simulator import RingCentralSimulator
from gateway.adapter import Adapter
from gateway.model.ids import ParticipantId, RoomId
from tests.contract.hooks import WithHooks
from tests.contract.rig import Person, Rig

_PLENTY = 100_000
_GARBAGE = (
    b'{"uuid":"1","event":"/restapi/v1.0/account/1/extension/2/telephony/sessions","body":',
    b'{"uuid":"2","event":"/restapi/v1.0/account/1/extension/2/telephony/sessions","body":{"telephonySessionId":7}}',
    b"[" * 10_000,
)


class RingCentralRig(WithHooks):
    """A RingCentral that tells by socket or by hook, of its user, or of the whole account: then everything twice.

    A room is a conference that another app of the host's has opened and that their telephone is in; who joins has
    called the host, or was called by them, and is brought in. It tells nothing of the legs of participants, and only
    the host's can be held.
    """

    rooms_stay = False
    moderators_join = False
    names_guests = False
    flags = ("muted", "on_hold")
    told = frozenset({"on_hold"})

    def __init__(
        self, *, notifications: Literal["websocket", "webhook"] = "websocket", account_wide: bool = False
    ) -> None:
        self.kind = "ringcentral"
        limits = dict.fromkeys(("light", "medium", "heavy", "auth"), _PLENTY)
        self._sim = RingCentralSimulator(capacity=_PLENTY, limits=limits)
        super().__init__(self._sim)
        self._host = self._sim.add_extension("Ada Lambert")
        self.identity = self._host.extension_id
        self._notifications = notifications
        self._scope = "account" if account_wide else "extension"
        self._sim.faults.duplicate_events = account_wide
        self._hosts: dict[RoomId, ParticipantId] = {}
        self._people = 0

    def adapter(self) -> Adapter:
        return self._adapter(self._host.jwt)

    def stranger(self) -> tuple[Adapter, str]:
        wrong = "not-the-credential"
        return self._adapter(wrong), wrong

    def _adapter(self, jwt: str) -> Adapter:
        settings: dict[str, object] = {
            "url": self._sim.url,
            "client_id": self._sim.client_id,
            "client_secret": self._sim.client_secret,
            "jwt": jwt,
            "notifications": self._notifications,
            "scope": self._scope,
            "max_parties": _PLENTY,
        }
        if self._notifications == "webhook":
            # That RingCentral is gone, or delivers no more, is found by asking: it is told nobody.
            settings |= {"webhook_url": self._hooks.next_url(), "poll_interval_s": 0.2}
        adapter = RingCentralAdapter.configured(settings)
        self._hooks.mount(adapter)
        return adapter

    def furnish(self, name: str) -> RoomId:
        room = RoomId(self._sim.open_conference(self._host))
        self._note_host(room)
        return room

    def begin(self, room: RoomId, token: str | None) -> None:
        assert token == self._sim.session(room).token
        self._sim.host_dials(room)
        self._note_host(room)

    def _note_host(self, room: RoomId) -> None:
        host = self._sim.session(room).host
        assert host is not None
        self._hosts[room] = ParticipantId(host.party_id)

    def empty(self, room: RoomId) -> None:
        for who in self.truth()[room].keys() - self.always_there(room):
            self.leaves(room, who)
        self._sim.host_hangs_up(room)

    def always_there(self, room: RoomId) -> Set[ParticipantId]:
        return {self._hosts[room]} if room in self._hosts else frozenset()

    def bearer(self, room: RoomId, flag: str, who: ParticipantId) -> ParticipantId:
        return self._hosts[room] if flag == "on_hold" else who

    def somebody_joins(self, room: RoomId, name: str, *, moderator: bool = False, owner: bool = False) -> ParticipantId:
        assert not moderator
        if owner:
            return self._hosts[room]
        self._people += 1
        number = f"+1202555{self._people:04d}"
        call = self._sim.make_call(self._host, number, name, inbound=self._people % 2 == 0)
        return ParticipantId(self._sim.bring_in(room, call))

    def leaves(self, room: RoomId, who: ParticipantId) -> None:
        peer = self._sim.session(room).party(who).peer
        assert peer is not None
        self._sim.remote_hangs_up(peer.session_id)

    def set_flag(self, room: RoomId, who: ParticipantId, flag: str, value: bool) -> None:
        hands = {"muted": self._sim.set_muted, "on_hold": self._sim.set_hold}
        hands[flag](room, who, value)

    def cut(self) -> None:
        """Break every socket; where there is none, give up on every hook."""
        self._sim.drop_link()
        for subscription in self._sim.subscriptions:
            if subscription.transport == "WebHook":
                subscription.blacklisted_at = time.time()

    def send_garbage(self) -> None:
        for garbage in _GARBAGE:
            self._sim.send_raw(b"[" + garbage)
            for subscription in self._sim.subscriptions:
                if subscription.transport == "WebHook":
                    subscription.deliver(msgspec.Raw(garbage))

    def lose_next_leaves(self) -> None:
        self._sim.faults.lose_events = True

    def obey(self, obedient: bool) -> None:
        self._sim.faults.ignore_commands = not obedient

    def commands(self) -> int:
        return len(self._sim.commands)

    def truth(self) -> Mapping[RoomId, Mapping[ParticipantId, Person]]:
        return {
            RoomId(session_id): {
                ParticipantId(leg_id): Person(
                    each["name"], each["muted"], None, None, each["moderator"], each["on_hold"]
                )
                for leg_id, each in room["participants"].items()
            }
            for session_id, room in self._sim.truth().items()
        }


RIGS: dict[str, Callable[[], Rig]] = {
    "ringcentral": RingCentralRig,
    "ringcentral-webhook": partial(RingCentralRig, notifications="webhook"),
    "ringcentral-account": partial(RingCentralRig, account_wide=True),
}


async def who_is_in(settings: dict[str, str]) -> dict[str, set[str]]:
    """Ask the simulated RingCentral itself, as any client of it would."""
    api = f"{settings['url']}/restapi/v1.0/account/~"
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": settings["jwt"]}
    app = {"Authorization": aiohttp.encode_basic_auth(settings["client_id"], settings["client_secret"])}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{settings['url']}/restapi/oauth/token", data=grant, headers=app) as response:
            session.headers["Authorization"] = f"Bearer {(await response.json())['access_token']}"
        presence = f"{api}/extension/~/presence?detailedTelephonyState=true"
        async with session.get(presence) as response:
            calls = (await response.json())["activeCalls"]
        who = {}
        for conference in {call["telephonySessionId"] for call in calls if call.get("to") == "conference"}:
            async with session.get(f"{api}/telephony/sessions/{conference}") as response:
                legs = (await response.json())["parties"]
            who[conference] = {leg["id"] for leg in legs if leg["status"]["code"] != "Disconnected"}
    return who
