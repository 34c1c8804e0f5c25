"""What a viewer may do: the one place that knows which role a command needs."""

from collections.abc import Mapping

from gateway.live.link import Link
from gateway.model.capability import Capability, Support, absent
from gateway.model.room import Room
from gateway.model.viewer import Viewer

_OWN = {Capability.MUTE_ME, Capability.START_CONFERENCE}
_CONFIGURING = {Capability.CREATE_ROOM, Capability.UPDATE_SETTINGS, Capability.DELETE_ROOM, Capability.ADOPT_ROOM}
_READING = {Capability.LIST_ROOMS, Capability.LIVE_PARTICIPANTS, Capability.TALKING}


def forbidden(viewer: Viewer, capability: Capability) -> str | None:
    """Say why the viewer may not use a capability, or None when they may."""
    if capability in _READING | _OWN:
        return None
    if capability in _CONFIGURING:
        return None if viewer.may_configure else "needs the role ADMIN"
    return None if viewer.may_command else "needs the role MODERATOR"


def abilities(viewer: Viewer, link: Link, room: Room) -> Mapping[Capability, Support]:
    """Say what the viewer can do in a room now: the backend's abilities, narrowed by the room and by their role."""
    supports = {**link.adapter.capabilities(), **link.adapter.capabilities_in(room)}
    for capability, support in supports.items():
        if support.usable and (reason := forbidden(viewer, capability)) is not None:
            supports[capability] = absent(reason, "gateway")
    return supports
