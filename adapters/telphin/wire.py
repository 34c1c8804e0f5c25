"""Telphin's JSON in its own names; what is not marked Required may be missing or null.

Ids are numbers in most answers and text in some; `*_gmt` are `YYYY-MM-DD HH:MM:SS` in UTC, sometimes with a fraction.
"""

from typing import Required, TypedDict

IdJson = int | str


class TokenJson(TypedDict, total=False):
    """The answer to a sign-in.

    Units: expires_in is seconds, and not always there.
    """

    access_token: Required[str]
    expires_in: object


class ExtensionJson(TypedDict, total=False):
    """An extension.

    Shape: `name` is the client's prefix, `*` and the number; `type` is phone, queue, ivr, fax, conference and maybe
           others; `status` is active or blocked. `create_date` says no time zone. What is only shown may look like
           anything.
    """

    id: Required[IdJson]
    name: str | None
    type: str | None
    status: object
    label: str | None
    caller_id_name: object
    client_id: object
    extension_group_id: object
    domain: object
    create_date: object
    dial_rule_id: object
    dial_rule_limit: object
    message_did: object
    ani_rfc3325: object
    did_as_transfer_caller_id: object
    extra_params: object


class ConferenceJson(TypedDict, total=False):
    """The settings of a conference extension; null is the default of each.

    Shape: `enter_sound` and `music_on_hold_sound` are ids of sound files; both PINs are secrets.
    Source: the page "Conference (/conference/)": max_members null is 100.
    """

    announce_caller_name: bool | None
    enter_sound: IdJson | None
    max_members: int | None
    pin: str | None
    moderator_pin: str | None
    mute_non_moderator: bool | None
    music_on_hold_sound: IdJson | None
    record_enabled: bool | None


class CurrentCallJson(TypedDict, total=False):
    """A call of a phone extension.

    Shape: `call_flow` is in or out; no `answer_time_gmt` is a call that nobody has answered; `real_call` false is
           one that is booked here and talks elsewhere. What the two `*_extension` look like is not documented.
    """

    call_api_id: Required[str]
    call_flow: object
    caller_id_number: object
    caller_id_name: object
    called_number: object
    caller_extension: object
    called_extension: object
    extension_id: object
    init_time_gmt: str | None
    answer_time_gmt: str | None
    callback_id: object
    real_call: object


class EventJson(TypedDict, total=False):
    """A subscription: what happens at an extension is sent to `url`, by `method` GET or POST."""

    id: Required[IdJson]
    url: str | None
    event_type: str | None
    method: str | None


class CallbackJson(TypedDict, total=False):
    """A call that was ordered."""

    call_api_id: str | None


class ErrorJson(TypedDict, total=False):
    """An answer that is an error.

    Shape: `status` is a word that tells errors of one HTTP code apart; `error` is what the token endpoint says in
           OAuth's words. `message` is for people and is not read.
    """

    status: object
    error: object
