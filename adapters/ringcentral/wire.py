"""RingCentral's JSON in its own names; what is not marked Required may be missing or null.

All ids are text. A session comes in two wrappings: alone, and as `session` of an object (`unwrapped` takes either).
"""

from typing import Required, TypedDict

from adapters.kit.understanding import objects

NumberJson = int | float | None


class PeerJson(TypedDict, total=False):
    """The other leg that a leg was merged with.

    Shape: over REST `sessionId` is the `s-` id; in events `telephonySessionId` is, and `sessionId` the old number,
           which is "0" for a conference. The id is whichever begins with `s-`.
    """

    partyId: str | None
    sessionId: str | None
    telephonySessionId: str | None


class StatusJson(TypedDict, total=False):
    """Where a leg stands; `code` and `reason` are open sets."""

    code: str | None
    reason: str | None
    peerId: PeerJson | None


class EndJson(TypedDict, total=False):
    """`from` and `to` of a leg."""

    phoneNumber: str | None
    name: str | None
    deviceId: str | None
    extensionId: str | None


class OwnerJson(TypedDict, total=False):
    """Whose a leg is, in the older form."""

    accountId: str | None
    extensionId: str | None


class RecordingJson(TypedDict, total=False):
    """A recording of a leg."""

    id: str | None
    active: bool | None


PartyJson = TypedDict(
    "PartyJson",
    {
        "id": Required[str],
        "direction": str | None,
        "from": EndJson | None,
        "to": EndJson | None,
        "status": StatusJson | None,
        "muted": bool | None,
        "standAlone": bool | None,
        "conferenceRole": str | None,
        "accountId": str | None,
        "extensionId": str | None,
        "owner": OwnerJson | None,
        "recordings": list[RecordingJson] | None,
    },
    total=False,
)
"""A leg, over REST and in events alike.

Shape: `conferenceRole` is Host or Participant. A participant's leg in a conference has no accountId, extensionId or
       owner, and its `from` is the host's number.
"""


class OriginJson(TypedDict, total=False):
    """How a session came about; `type` is Conference for a room."""

    type: str | None


class SessionJson(TypedDict, total=False):
    """A call or a conference with its legs; those that are Disconnected stay among them.

    Shape: `parties` are each checked by itself, so that a malformed one costs itself only; `voiceCallToken` is what the
           host's phone dials, and a secret.
    """

    id: Required[str]
    creationTime: str | None
    origin: OriginJson | None
    parties: list[object] | None
    voiceCallToken: str | None


def unwrapped(answer: object) -> object:
    """Take a session out of its wrapping: create and call-out wrap it, GET does not, whatever the pages say."""
    inner = objects(answer).get("session")
    return answer if inner is None else inner


# ---- who we are and what goes on ----


class AccountJson(TypedDict, total=False):
    """The account an extension is of."""

    id: str | None


class ExtensionJson(TypedDict, total=False):
    """The user we are signed in as.

    Units: ids are numbers here and text everywhere else.
    """

    id: Required[int | str]
    account: AccountJson | None
    extensionNumber: str | None
    name: str | None


class ActiveCallJson(TypedDict, total=False):
    """One of the calls of a presence; for a conference `to` is "conference" and `sessionId` "0"."""

    direction: str | None
    to: str | None
    toName: str | None
    sessionId: str | None
    telephonySessionId: str | None
    partyId: str | None
    telephonyStatus: str | None


class PresenceJson(TypedDict, total=False):
    """What an extension is doing."""

    activeCalls: list[ActiveCallJson] | None


class PagingJson(TypedDict, total=False):
    """Where in a list its page is, counted from 1."""

    page: int | None
    totalPages: int | None


class PageJson(TypedDict, total=False):
    """A page of a list."""

    records: Required[list[object]]
    paging: PagingJson | None


class DeviceJson(TypedDict, total=False):
    """A phone of an extension; `type` is HardPhone, SoftPhone, OtherPhone, WebPhone and so on."""

    id: Required[str]
    type: str | None
    name: str | None
    status: str | None


# ---- subscriptions ----


class DeliveryJson(TypedDict, total=False):
    """How notifications come."""

    transportType: str | None
    address: str | None


class DisabledFilterJson(TypedDict, total=False):
    """What was asked for and is not delivered."""

    filter: str | None
    reason: str | None
    message: str | None


class SubscriptionJson(TypedDict, total=False):
    """A subscription; `status` is Active, Suspended or Blacklisted.

    Units: expiresIn is seconds.
    """

    id: Required[str]
    status: str | None
    eventFilters: list[str] | None
    disabledFilters: list[DisabledFilterJson] | None
    expiresIn: NumberJson
    deliveryMode: DeliveryJson | None


class NotificationJson(TypedDict, total=False):
    """What a socket's ServerNotification has as its body, and what is posted to a hook."""

    uuid: str | None
    event: str | None
    timestamp: str | None
    subscriptionId: str | None
    ownerId: str | None
    body: object


# ---- signing in ----


class TokenJson(TypedDict, total=False):
    """The answer to a sign-in; there is a refresh token only if the app is set to have one.

    Units: expires_in is seconds.
    """

    access_token: Required[str]
    expires_in: object
    refresh_token: str | None


class WsTokenJson(TypedDict, total=False):
    """Where the event socket is and with what it is opened, once."""

    uri: Required[str]
    ws_access_token: Required[str]


# ---- the event socket: a frame is [meta] or [meta, body] ----


class WscJson(TypedDict, total=False):
    """By what a connection can be taken up again; the highest `sequence` is the newest."""

    token: Required[str]
    sequence: int | None


class MetaJson(TypedDict, total=False):
    """The first entry of a frame; `messageId` pairs an answer with its request."""

    type: Required[str]
    messageId: str | None
    status: int | None
    wsc: WscJson | None
    headers: dict[str, object] | None


class ConnectionJson(TypedDict, total=False):
    """The body of ConnectionDetails; without a `wsc` in the request there is no recoveryState."""

    recoveryState: str | None
    recoveryErrorCode: str | None


# ---- failures ----


class FailureJson(TypedDict, total=False):
    """One failure: the top level repeats the first of its `errors`, or is missing."""

    errorCode: str | None
    parameterName: str | None
    permissionName: str | None


class FailuresJson(FailureJson, total=False):
    """An answer that is an error; `error` is what the token endpoint says in OAuth's words."""

    errors: list[FailureJson] | None
    error: str | None
