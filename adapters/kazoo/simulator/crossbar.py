"""The REST half: which path means what, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .actions import EVERYBODY, Actions, Command, order_of
from .answers import (
    Answer,
    Complaints,
    CrossbarError,
    bad_identifier,
    bad_login,
    bad_method,
    bad_token,
    complain,
    forbidden,
    not_found,
)
from .documents import Documents, Stored
from .faults import Faults
from .generation import Traits
from .listing import page
from .shapes import Json, child
from .switch import Switch
from .tokens import Account, Tokens
from .wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, its path already split below /v2/."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: Json
    token: str | None


class Crossbar:
    """Answers requests from the documents and the switch."""

    def __init__(
        self,
        *,
        traits: Traits,
        faults: Faults,
        account: Account,
        tokens: Tokens,
        documents: Documents,
        switch: Switch,
        wording: Wording,
        actions: Actions,
        sockets: Callable[[], list[Json]],
        commanded: Callable[[Command], None],
    ) -> None:
        self._traits = traits
        self._faults = faults
        self._account = account
        self._tokens = tokens
        self._documents = documents
        self._switch = switch
        self._wording = wording
        self._actions = actions
        self._sockets = sockets
        self._commanded = commanded

    async def answer(self, request: Request) -> Answer:
        """Errors: CrossbarError, worded as Crossbar words it."""
        match request.path:
            case ("user_auth",):
                return self._login(request, self._user_login)
            case ("api_auth",):
                return self._login(request, self._api_login)
            case ("websockets",) if self._faults.websockets_module:
                return self._templates(request)
        claims = self._tokens.claims(request.token) if request.token else None
        if claims is None:
            raise bad_token()
        match request.path:
            case ("token_auth",):
                return self._token(request, claims)
            case ("accounts", account, *rest):
                if account != self._account.account_id:
                    raise forbidden()
                return await self._in_account(request, tuple(rest))
            case ("account", *rest) if self._traits.own_account_path:
                return await self._in_account(request, tuple(rest))
        raise not_found()

    async def _in_account(self, request: Request, path: tuple[str, ...]) -> Answer:
        match path:
            case ("websockets",):
                return Answer(data=self._sockets())
            case ("websockets", socket_id):
                return self._socket(socket_id)
            case ("conferences",):
                return self._conferences(request)
            case ("conferences", room_id):
                return await self._conference(request, room_id)
            case ("conferences", room_id, "participants"):
                return self._participants(request, room_id)
            case ("conferences", room_id, "participants", participant):
                return self._participant(request, room_id, participant)
            case ("conferences", _, "email_invite") if self._traits.kazoo5 and request.method == "PUT":
                return Answer(data="request accepted", status=self._traits.action_status)
        raise not_found()

    # Sign-in

    def _login(self, request: Request, check: Callable[[Json], str]) -> Answer:
        if request.method != "PUT":
            raise bad_method()
        method = check(child(request.body, "data"))
        data: Json = {
            "account_id": self._account.account_id,
            "reseller_id": self._account.account_id,
            "is_reseller": False,
            "language": "en-us",
            "apps": [],
        }
        if method == "cb_user_auth":
            data["owner_id"] = self._account.owner_id
        return Answer(data=data, status=201, envelope={"auth_token": self._tokens.issue(self._account, method)})

    def _user_login(self, data: Json) -> str:
        credentials, method = data.get("credentials"), data.get("method", "md5")
        found = Complaints()
        if credentials is None:
            found.add("credentials", "required", "Field is required but missing")
        elif not isinstance(credentials, str) or not 1 <= len(credentials) <= 64:
            found.add("credentials", "maxLength", "String must not be more than 64 characters", target=64)
        if method not in ("md5", "sha"):
            found.add("method", "enum", "Value not found in enum", target=["md5", "sha"], value=method)
        found.raise_any(self._traits.invalid_message)
        self._check_account(data)
        if not self._account.accepts(str(method), str(credentials)):
            raise bad_login()
        if self._faults.login == "mfa":
            raise CrossbarError(401, "invalid_credentials", {"multi_factor_request": {"provider_name": "duo"}})
        if self._faults.login == "account_disabled":
            complain(self._traits.invalid_message, "account", "disabled", "account is disabled")
        return "cb_user_auth"

    def _check_account(self, data: Json) -> None:
        """By phone number, then realm, then name; this account has no phone number."""
        realm = data.get("account_realm", data.get("realm"))
        name = data.get("account_name")
        if isinstance(realm, str):
            if not self._account.has_realm(realm):
                complain(self._traits.invalid_message, "account_realm", "not_found", "no such account", cause=realm)
        elif not isinstance(name, str) or not self._account.is_named(name):
            complain(self._traits.invalid_message, "account_name", "not_found", "no such account", cause=name)

    def _api_login(self, data: Json) -> str:
        key = data.get("api_key")
        found = Complaints()
        if key is None:
            found.add("api_key", "required", "Field is required but missing")
        elif not isinstance(key, str) or len(key) < 64:
            found.add("api_key", "minLength", "String must be at least 64 characters", target=64)
        elif len(key) > 64:
            found.add("api_key", "maxLength", "String must not be more than 64 characters", target=64)
        for other in data.keys() - {"api_key"}:
            found.add(other, "additionalProperties", "Strict checking of data and found unknown field")
        found.raise_any(self._traits.invalid_message)
        if key != self._account.api_key:
            raise CrossbarError(404, "bad identifier", [key])
        return "cb_api_auth"

    def _token(self, request: Request, claims: Json) -> Answer:
        """DELETE removes database tokens only: a JWT lives on until it expires."""
        if request.method == "DELETE":
            return Answer(data={})
        if request.method != "GET":
            raise bad_method()
        return Answer(data={key: claims[key] for key in ("account_id", "owner_id", "method") if key in claims})

    def _templates(self, request: Request) -> Answer:
        """Tell what can be subscribed to; it shows the dialect, and needs no token."""
        if request.method != "GET":
            raise bad_method()
        data: Json = {"call": ["call.CHANNEL_CREATE.{CALL_ID}"], "object": ["object.doc_created.{TYPE}"]}
        if self._traits.templates:
            data["conference"] = self._traits.templates
        return Answer(data=data)

    def _socket(self, socket_id: str) -> Answer:
        found = next((one for one in self._sockets() if one["websocket_session_id"] == socket_id), None)
        if found is None:
            raise bad_identifier(socket_id)
        return Answer(data=found)

    # Documents

    def _conferences(self, request: Request) -> Answer:
        if request.method == "GET":
            return self._list(request)
        if request.method != "PUT":
            raise bad_method()
        created = self._documents.create(child(request.body, "data"))
        return Answer(
            data=created.document,
            status=201,
            revision=created.revision,
            location=str(created.document["id"]),
        )

    def _list(self, request: Request) -> Answer:
        invalid = self._traits.invalid_message
        found = page(self._documents.stored, request.query, invalid=invalid, max_listing=self._faults.max_listing)
        return Answer(data=[self._summary(*item, request.query) for item in found.items], envelope=found.envelope)

    def _summary(self, room_id: str, stored: Stored, query: Mapping[str, str]) -> Json:
        document = stored.document
        keys: tuple[str, ...] = _SUMMARY_KEYS
        if self._traits.kazoo5 and query.get("full_docs") == "true":
            keys = tuple(document)
        elif self._traits.kazoo5 and "fields" in query:
            keys = ("id", *(name.strip(' "') for name in query["fields"].strip("[]").split(",")))
        shown = {key: document[key] for key in keys if key in document}
        return {**shown, **self._wording.list_block(self._switch.runs.get(room_id))}

    async def _conference(self, request: Request, room_id: str) -> Answer:
        match request.method:
            case "GET":
                return self._shown(room_id)
            case "POST":
                return self._saved(self._documents.replace(room_id, child(request.body, "data")))
            case "PATCH":
                return self._saved(self._documents.patch(room_id, child(request.body, "data")))
            case "DELETE":
                return self._deleted(room_id)
            case "PUT":
                self._shown(room_id)
                order = order_of(request.body)
                self._commanded(Command(order.action or "", room_id, None, order.args))
                return await self._actions.on_room(room_id, order)
        raise bad_method()

    def _shown(self, room_id: str) -> Answer:
        """Show the document with its realtime block; an unknown id is a room that runs without one, or 404."""
        stored = self._documents.stored.get(room_id)
        if stored is None and not self._traits.ad_hoc:
            raise bad_identifier(room_id)
        document = stored.document if stored else self._documents.defaults(room_id)
        realtime = self._wording.realtime(self._switch.runs.get(room_id))
        return self._with_block(document, realtime, stored.revision if stored else None)

    def _with_block(self, document: Json, block: Json, revision: str | None) -> Answer:
        if self._traits.realtime_in_envelope:
            return Answer(data=document, envelope={"metadata": block}, revision=revision)
        return Answer(data={**document, "_read_only": block}, revision=revision)

    def _saved(self, stored: Stored) -> Answer:
        return Answer(data=stored.document, revision=stored.revision)

    def _deleted(self, room_id: str) -> Answer:
        """Delete the document; a running room runs on without it."""
        gone = self._documents.delete(room_id)
        return self._with_block(gone.document, {"deleted": True}, gone.revision)

    # Participants

    def _participants(self, request: Request, room_id: str) -> Answer:
        document = self._shown(room_id)
        if request.method == "GET":
            return Answer(data=self._wording.participants(self._switch.runs.get(room_id)))
        if request.method != "PUT":
            raise bad_method()
        order = order_of(request.body, request.query.get("action"))
        self._commanded(Command(order.action or "", room_id, EVERYBODY, order.args))
        return self._actions.on_everybody(room_id, order, document)

    def _participant(self, request: Request, room_id: str, participant: str) -> Answer:
        document = self._shown(room_id)
        if request.method == "GET":
            return Answer(data=self._present(room_id, participant))
        if request.method != "PUT":
            raise bad_method()
        order = order_of(request.body, request.query.get("action"))
        target = int(participant) if participant.isdecimal() else participant
        self._commanded(Command(order.action or "", room_id, target, order.args))
        return self._actions.on_participant(room_id, participant, order, document)

    def _present(self, room_id: str, participant: str) -> Json:
        """Somebody who is not there is an empty object, not a 404."""
        run = self._switch.runs.get(room_id)
        if run is None or self._faults.empty_state or self._faults.missing_flags:
            return {}
        for one in run.participants.values():
            if one.known and str(one.participant_id) == participant:
                return self._wording.participant(run, one)
        return {}


_SUMMARY_KEYS = (
    "id",
    "name",
    "owner_id",
    "member",
    "moderator",
    "conference_numbers",
    "flags",
    "ui_flags",
)
