"""The generations of Kazoo that differ on the wire, and what each of them does."""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class Generation(StrEnum):
    """A generation of Kazoo; SEED is the flat form of 2016, in all else like 4.0; 4.2 also stands for master."""

    SEED = "seed"
    K4_0 = "4.0"
    K4_2 = "4.2"
    K4_3 = "4.3"
    K5 = "5"


class BindingForm(Enum):
    """How a client names the events of one room when it subscribes."""

    ROOM_LEG = "conference.event.{CONF}.{CALL or *}"
    ROOM_STAR_EVENT = "conference.event.{CONF}.*[.{EVENT or *}]"
    EVENT_ROOM_LEG = "conference.event.{EVENT or *}.{CONF}.{CALL or *}"


class ListForm(Enum):
    """Where a list item carries its realtime keys, and under which names."""

    SEED_ROOT = "members, admins, duration and is_locked at the root of the item"
    ROOT = "keys at the root of the item"
    READ_ONLY = "keys under _read_only"
    READ_ONLY_FULL = "the whole block under _read_only, `locked` instead of `is_locked`"


EVERY_ACTION_ON_PEOPLE = ("mute", "unmute", "deaf", "undeaf", "kick")
EVENT_NAMES = (
    "conference-create",
    "conference-destroy",
    "lock",
    "unlock",
    "add-member",
    "del-member",
    "mute-member",
    "unmute-member",
    "deaf-member",
    "undeaf-member",
    "start-talking",
    "stop-talking",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What one generation does; the fields follow section 0 of the protocol sheet.

    Source: cb_conferences.erl, bh_conference.erl and the conference tracking of each branch.
    """

    version: str
    bindings: BindingForm = BindingForm.ROOM_LEG
    listed: ListForm = ListForm.READ_ONLY
    flat: bool = False
    "participant flags at top level and `admins`, the form of 2016"
    realtime_in_envelope: bool = False
    ad_hoc: bool = True
    "an unknown id is a room that needs no document: 200 instead of 404"
    extra_run_keys: bool = False
    kazoo5: bool = False
    conference_actions: tuple[str, ...] = ("lock", "unlock", "play", "dial")
    bulk_actions: tuple[str, ...] = (*EVERY_ACTION_ON_PEOPLE, "play", "relate")
    participant_actions: tuple[str, ...] = (*EVERY_ACTION_ON_PEOPLE, "play")
    action_status: int = 201
    invalid_message: str = "validation error"
    error_enum_for_actions: bool = False
    names_tokens: bool = False
    own_account_path: bool = False
    account_in_routing_key: bool = True
    current_energy: bool = False
    member_type: bool = True
    application_vars: bool = True
    templates: tuple[str, ...] = ()
    "the `conference` key of GET /v2/websockets; absent when empty"
    pings: bool = False
    idle_close: bool = True
    drops_when_slow: bool = False


_K4_0 = Traits(
    version="4.0.0",
    listed=ListForm.ROOT,
    ad_hoc=False,
    conference_actions=("lock", "unlock"),
    bulk_actions=EVERY_ACTION_ON_PEOPLE,
    participant_actions=EVERY_ACTION_ON_PEOPLE,
    invalid_message="invalid data",
    account_in_routing_key=False,
    application_vars=False,
    idle_close=False,
)
_K4_2 = Traits(version="4.2.52")
_COMMAND_TEMPLATE = "conference.command.{CONFERENCE_ID}"
_MASTER = replace(
    _K4_2,
    version="5.0.0",
    conference_actions=(*_K4_2.conference_actions, "record"),
    names_tokens=True,
    own_account_path=True,
    current_energy=True,
    templates=("conference.event.{CONFERENCE_ID}.{CALL_ID}", _COMMAND_TEMPLATE),
)
_K4_3 = Traits(
    version="4.3.142",
    bindings=BindingForm.ROOM_STAR_EVENT,
    extra_run_keys=True,
    drops_when_slow=True,
    templates=(
        _COMMAND_TEMPLATE,
        *(f"conference.event.{{CONFERENCE_ID}}.{{CALL_ID}}.{name}" for name in ("*", *EVENT_NAMES)),
    ),
)
_K5 = Traits(
    version="5.4.0",
    bindings=BindingForm.EVENT_ROOM_LEG,
    listed=ListForm.READ_ONLY_FULL,
    realtime_in_envelope=True,
    extra_run_keys=True,
    kazoo5=True,
    conference_actions=("lock", "unlock", "play", "dial", "record", "vars"),
    action_status=200,
    error_enum_for_actions=True,
    names_tokens=True,
    own_account_path=True,
    current_energy=True,
    member_type=False,
    pings=True,
    drops_when_slow=True,
    templates=(
        _COMMAND_TEMPLATE,
        *(f"conference.event.{name}.{{CONFERENCE_ID}}.{{CALL_ID}}" for name in ("*", *EVENT_NAMES)),
    ),
)
_TRAITS = {
    Generation.SEED: replace(_K4_0, flat=True, listed=ListForm.SEED_ROOT, current_energy=True),
    Generation.K4_0: _K4_0,
    Generation.K4_2: _K4_2,
    Generation.K4_3: _K4_3,
    Generation.K5: _K5,
}


def traits_of(generation: Generation, *, master: bool = False) -> Traits:
    """Tell what this generation does; `master` turns 4.2 into the master branch of 2024."""
    if master and generation is Generation.K4_2:
        return _MASTER
    return _TRAITS[generation]
