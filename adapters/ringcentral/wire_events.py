"""The JSON of notifications in RingCentral's own names; what is not marked Required may be missing or null.

Legs are `object` here: each is checked by itself, so that a malformed one costs itself only.
"""

from typing import Required, TypedDict

from adapters.ringcentral.wire import OriginJson


class SessionEventJson(TypedDict, total=False):
    """The body of a telephony session event: what has become of one leg, and never who else is in the session.

    Shape: `telephonySessionId` is the session; `sessionId` its old number, which is "0" for every conference.
    Units: sequence counts through a session, over all its legs; eventTime is the moment of the change, although the
           pages call it the start of the call.
    """

    telephonySessionId: Required[str]
    sequence: Required[int]
    sessionId: str | None
    eventTime: str | None
    origin: OriginJson | None
    parties: list[object] | None


class SessionHeadJson(TypedDict, total=False):
    """What GET and create answer of a session, its legs not yet checked."""

    id: Required[str]
    creationTime: str | None
    origin: OriginJson | None
    parties: list[object] | None
