"""What a test can switch on to make the simulated XiVO misbehave."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches a test flips while the simulator runs; all off by default."""

    # HTTP and sign-on
    http_status: int | None = None
    "every request and every handshake fails with this status"
    hang: bool = False
    "requests and handshakes are read and never answered"
    ttl: Literal["number", "text", "absent"] = "number"
    "how the life of a token is written"
    logged_on: Literal["ok", "error", "silent"] = "ok"
    double_login: Literal["allow", "kick_first"] = "allow"
    "what happens to the first socket of a user who opens a second one"
    mute_pings: bool = False
    "nothing is sent any more, answers to pings included, and the socket stays open"

    # Events
    list_first: bool = False
    "the list of rooms is pushed before the events of the same change"
    released_first: bool = False
    "the call is released before the room tells its user that they left"
    repeat_join_after_reconnect: bool = True
    "a session that signs on while its user is in a room gets the own Join"
    join_of_self: bool = False
    "who enters is told of their own Join a second time, as of anybody's"
    lose_leaves: bool = False
    "no Leave is sent and no list pushed for who leaves; an answer to getList is right"
    lose_updates: bool = False
    "no Update is sent; the list of rooms is pushed all the same"
    duplicate_events: bool = False
    strange_frames: bool = False
    "frames nobody has documented come in between, and participants have a field more"

    # Commands
    ignore_commands: bool = False
    "commands are accepted and nothing happens, not even an error"
    effect_delay_s: float = 0.0
    "commands are obeyed or refused only after this time, and by who is in which slot by then"
    drop_after_command: Literal["before", "after"] | None = None
    "the socket is cut when a command arrives: before it is obeyed, or after, before its effect is told"
    invite_answers: Literal["joins", "busy"] | float = "joins"
    "what the guest does; a number is the seconds until they answer"
    no_room_list: bool = False
    "getList is refused, as announced for a later release"
    old: bool = False
    "a server of 2019: no deafen, close and invite, and no isDeaf in events"
