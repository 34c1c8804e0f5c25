"""Reads and commands over HTTP: a method an endpoint of Call Control and what it needs, their JSON in and out."""

from collections.abc import Sequence
from typing import TypeVar

from adapters.kit.understanding import JsonObject, NotUnderstoodError, shaped
from adapters.ringcentral.errors import RefusedError
from adapters.ringcentral.pace import Group
from adapters.ringcentral.transport import API, OAUTH, Request, Transport
from adapters.ringcentral.wire import (
    DeviceJson,
    ExtensionJson,
    PageJson,
    PartyJson,
    PresenceJson,
    SessionJson,
    SubscriptionJson,
    WsTokenJson,
    unwrapped,
)

_ACCOUNT = (*API, "account", "~")
_EXTENSION = (*_ACCOUNT, "extension", "~")
_SESSIONS = (*_ACCOUNT, "telephony", "sessions")
_SUBSCRIPTIONS = (*API, "subscription")
_DETAILED = {"detailedTelephonyState": "true"}
_PAGE_SIZE = "100"
_MOST_PAGES = 1000

_Shape = TypeVar("_Shape")


class Client:
    """RingCentral's endpoints; commands are urgent, reads are when they are said to be.

    Errors: each method may raise a RingCentralError, NotUnderstoodError, SignInRefused or LinkDown.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # ---- conferences and calls ----

    async def create_conference(self) -> SessionJson:
        """Create a conference: nobody is in it, and it waits a short while for the host's phone to dial its token."""
        path = (*_ACCOUNT, "telephony", "conference")
        return _session(await self._do("POST", path, {}, group=Group.HEAVY))

    async def session(self, session_id: str, *, urgent: bool = False) -> SessionJson | None:
        """Read a call or a conference; None means that it exists no longer."""
        try:
            return _session(await self._read(_path(session_id), urgent=urgent))
        except RefusedError as error:
            if error.is_gone:
                return None
            raise

    async def delete_session(self, session_id: str) -> None:
        """End a call or a conference; one that is gone already counts as ended."""
        try:
            await self._do("DELETE", _path(session_id))
        except RefusedError as error:
            if not error.is_gone:
                raise

    async def bring_in(self, conference_id: str, session_id: str, party_id: str) -> PartyJson:
        """Merge a call into a conference, and give the new leg there.

        Shape: `party_id` is the host's own leg in the call, not the other side's.
        Source: RingCentral's newer specification and clients say `sessionId`, the guide's sample `telephonySessionId`.
        """
        body: JsonObject = {"sessionId": session_id, "partyId": party_id}
        return _party(await self._do("POST", _path(conference_id, "parties", "bring-in"), body))

    async def party(self, session_id: str, party_id: str, *, urgent: bool = False) -> PartyJson:
        """Read one leg."""
        return _party(await self._read(_path(session_id, "parties", party_id), urgent=urgent))

    async def change_party(self, session_id: str, party_id: str, *, muted: bool) -> PartyJson:
        """Mute a leg or let it speak.

        Source: the specification wraps the change in `party`, RingCentral's own client does not.
        """
        return _party(await self._do("PATCH", _path(session_id, "parties", party_id), {"muted": muted}))

    async def delete_party(self, session_id: str, party_id: str, *, keep_conference: bool = False) -> None:
        """Remove a leg; with the host's the conference ends, unless it is to be kept."""
        body: JsonObject | None = {"keepConferenceAlive": True} if keep_conference else None
        await self._do("DELETE", _path(session_id, "parties", party_id), body)

    async def hold(self, session_id: str, party_id: str) -> PartyJson:
        """Put a leg on hold."""
        return _party(await self._do("POST", _path(session_id, "parties", party_id, "hold")))

    async def unhold(self, session_id: str, party_id: str) -> PartyJson:
        """Take a leg back from hold."""
        return _party(await self._do("POST", _path(session_id, "parties", party_id, "unhold")))

    async def call_out(self, device_id: str, to: JsonObject) -> SessionJson:
        """Ring one of our phones, and when it is answered, `phoneNumber` or `extensionNumber` of `to`."""
        body: JsonObject = {"from": {"deviceId": device_id}, "to": to}
        return _session(await self._do("POST", (*_ACCOUNT, "telephony", "call-out"), body, group=Group.HEAVY))

    # ---- who we are and what goes on ----

    async def extension(self) -> ExtensionJson:
        """Read who we are signed in as."""
        return shaped(await self._read(_EXTENSION), ExtensionJson, "extension")

    async def presence(self) -> PresenceJson:
        """Read which calls we are in: no endpoint lists conferences."""
        answer = await self._ask("GET", (*_EXTENSION, "presence"), query=_DETAILED)
        return shaped(answer, PresenceJson, "presence")

    async def account_presence(self) -> list[PresenceJson]:
        """Read which calls everybody in the account is in.

        Source: unlike our own presence it is in the heavy group, says the generated client.
        """
        return await self._listed((*_ACCOUNT, "presence"), PresenceJson, query=_DETAILED, group=Group.HEAVY)

    async def devices(self) -> list[DeviceJson]:
        """List our phones."""
        return await self._listed((*_EXTENSION, "device"), DeviceJson, urgent=True)

    # ---- notifications ----

    async def subscriptions(self) -> list[SubscriptionJson]:
        """List what this user has subscribed to with this app."""
        page = shaped(await self._read(_SUBSCRIPTIONS), PageJson, "subscriptions")
        return [shaped(each, SubscriptionJson, "subscription") for each in page["records"]]

    async def subscription(self, subscription_id: str) -> SubscriptionJson:
        """Read one subscription."""
        return _subscription(await self._read((*_SUBSCRIPTIONS, subscription_id)))

    async def create_subscription(
        self, filters: Sequence[str], address: str, verification_token: str, expires_in_s: int
    ) -> SubscriptionJson:
        """Have notifications posted to an address, which is called before this is answered."""
        delivery = {"transportType": "WebHook", "address": address, "verificationToken": verification_token}
        body: JsonObject = {"eventFilters": list(filters), "deliveryMode": delivery, "expiresIn": expires_in_s}
        return _subscription(await self._ask("POST", _SUBSCRIPTIONS, body=body, group=Group.MEDIUM))

    async def renew_subscription(self, subscription_id: str) -> SubscriptionJson:
        """Let a subscription live for as long as at first from now on."""
        return _subscription(await self._ask("POST", (*_SUBSCRIPTIONS, subscription_id, "renew")))

    async def delete_subscription(self, subscription_id: str) -> None:
        """End a subscription; one that is gone already counts as ended."""
        try:
            await self._ask("DELETE", (*_SUBSCRIPTIONS, subscription_id), group=Group.MEDIUM)
        except RefusedError as error:
            if not error.is_gone:
                raise

    async def wstoken(self) -> WsTokenJson:
        """Ask where the event socket is, and for a token that opens it once."""
        answer = await self._ask("POST", (*OAUTH, "wstoken"), group=Group.AUTH, urgent=True)
        return shaped(answer, WsTokenJson, "wstoken")

    # ---- one request ----

    async def _do(
        self, method: str, path: tuple[str, ...], body: JsonObject | None = None, *, group: Group = Group.LIGHT
    ) -> object:
        return await self._ask(method, path, body=body, group=group, urgent=True)

    async def _read(self, path: tuple[str, ...], *, urgent: bool = False) -> object:
        return await self._ask("GET", path, urgent=urgent)

    async def _listed(
        self,
        path: tuple[str, ...],
        shape: type[_Shape],
        *,
        query: dict[str, str] | None = None,
        group: Group = Group.LIGHT,
        urgent: bool = False,
    ) -> list[_Shape]:
        """Read a list page by page.

        Errors: NotUnderstoodError for one that never ends.
        """
        found: list[_Shape] = []
        for number in range(1, _MOST_PAGES + 1):
            asked = {**(query or {}), "page": str(number), "perPage": _PAGE_SIZE}
            answer = await self._ask("GET", path, query=asked, group=group, urgent=urgent)
            page = shaped(answer, PageJson, path[-1])
            found += [shaped(each, shape, path[-1]) for each in page["records"]]
            if number >= ((page.get("paging") or {}).get("totalPages") or 1):
                return found
        raise NotUnderstoodError(f"{path[-1]}: the listing has no end")

    async def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: dict[str, str] | None = None,
        body: JsonObject | None = None,
        group: Group = Group.LIGHT,
        urgent: bool = False,
    ) -> object:
        request = Request(method=method, path=path, query=query or {}, body=body, group=group, urgent=urgent)
        return await self.transport.ask(request)


def _path(session_id: str, *more: str) -> tuple[str, ...]:
    """Name a session, or what is in it: an id that is no word of a path would name something else.

    Errors: RefusedError, as RingCentral answers for what it does not know.
    """
    if any(word in ("", ".", "..") for word in (session_id, *more)):
        raise RefusedError(404, ("CMN-102",))
    return (*_SESSIONS, session_id, *more)


def _session(answer: object) -> SessionJson:
    return shaped(unwrapped(answer), SessionJson, "session")


def _party(answer: object) -> PartyJson:
    return shaped(answer, PartyJson, "party")


def _subscription(answer: object) -> SubscriptionJson:
    return shaped(answer, SubscriptionJson, "subscription")
