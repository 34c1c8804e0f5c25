"""Which bindings a client may subscribe to, in the form of its generation, and which events match them."""

from typing import NamedTuple

from .generation import EVENT_NAMES, BindingForm, Traits

ANY = "*"


class BindingError(Exception):
    """A binding that is not taken; the text goes to the client."""


class Binding(NamedTuple):
    """One subscription: what the client asked for, and which events of which room it gets.

    Shape: event and leg are words of the routing key or `*`; no event at all for a binding to commands.
    """

    requested: str
    key: str
    room: str
    event: str
    leg: str

    def matches(self, event: str, leg: str) -> bool:
        """Whether an event of the room belongs to this binding."""
        return self.event in (ANY, event) and self.leg in (ANY, leg)


def parse(requested: str, account_id: str, traits: Traits) -> Binding:
    """Take or refuse a binding.

    Errors: BindingError, with the text of this generation.
    """
    family, *words = requested.split(".")
    if family != "conference":
        raise BindingError("no available subscriptions to requested binding")
    if words[:1] == ["command"] and len(words) == 2:
        return _command(requested, words[1], traits)
    if words[:1] == ["event"]:
        match traits.bindings:
            case BindingForm.ROOM_LEG:
                return _room_leg(requested, words, account_id, traits)
            case BindingForm.ROOM_STAR_EVENT:
                return _room_star_event(requested, words, account_id)
            case BindingForm.EVENT_ROOM_LEG:
                return _event_room_leg(requested, words, account_id)
    raise _invalid(words)


def _command(requested: str, room: str, traits: Traits) -> Binding:
    if room == ANY:
        raise BindingError("unauthorized wildcard for conference id" if traits.kazoo5 else "ConferenceId required")
    return Binding(requested, requested, room, "", "")


def _room_leg(requested: str, words: list[str], account_id: str, traits: Traits) -> Binding:
    if len(words) != 3:
        raise _invalid(words)
    _, room, leg = words
    if room == ANY:
        raise BindingError("ConferenceId required")
    key = f"conference.event.*.{account_id}.{room}.{leg}" if traits.account_in_routing_key else requested
    return Binding(requested, key, room, ANY, leg)


def _room_star_event(requested: str, words: list[str], account_id: str) -> Binding:
    if words[1:2] == [ANY]:
        raise BindingError("ConferenceId required")
    if len(words) not in (3, 4) or words[2] != ANY:
        raise _invalid(words)
    room, event = words[1], words[3] if len(words) == 4 else ANY
    _check_event(event)
    return Binding(requested, f"conference.event.{event}.{account_id}.{room}.*", room, event, ANY)


def _event_room_leg(requested: str, words: list[str], account_id: str) -> Binding:
    if len(words) != 4:
        raise _invalid(words)
    _, event, room, leg = words
    _check_event(event)
    if room == ANY:
        raise BindingError("unauthorized wildcard for conference id")
    return Binding(requested, f"conference.event.{event}.{account_id}.{room}.{leg}", room, event, leg)


def _check_event(event: str) -> None:
    if event != ANY and event not in EVENT_NAMES:
        raise BindingError(f"Unsupported conference event {event}")


def _invalid(words: list[str]) -> BindingError:
    return BindingError(f"invalid format for conference subscription : {', '.join(words)}")
