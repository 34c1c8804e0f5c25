"""The places of the API that tell and change what is configured: extensions, and the settings of rooms.

Inferred: a room that is made can be asked for at once; who is in a room that is removed is hung up on, and its event
          handlers go with it; a name and a type that are sent with a change must be the same as before.
"""

from dataclasses import replace

from .api import Answer, Request, Route
from .extensions import CONFERENCE, Extension, Extensions, change
from .failures import invalid, not_found
from .faults import Faults
from .rooms import Room
from .settings import changed, written
from .shapes import Json
from .subscriptions import Subscriptions
from .switchboard import Switchboard
from .wording import extension_json


class Configuration:
    """Answers about extensions and rooms."""

    def __init__(
        self, faults: Faults, extensions: Extensions, switchboard: Switchboard, subscriptions: Subscriptions
    ) -> None:
        self._faults = faults
        self._extensions = extensions
        self._switchboard = switchboard
        self._subscriptions = subscriptions
        self.routes = (
            Route("GET", "client/{client}/extension", self._list),
            Route("POST", "client/{client}/extension", self._create, "configure"),
            Route("GET", "client/{client}/extension/{extension}", self._read),
            Route("PUT", "client/{client}/extension/{extension}", self._change, "configure"),
            Route("DELETE", "client/{client}/extension/{extension}", self._remove, "configure"),
            Route("GET", "extension/{extension}/conference", self._settings),
            Route("PUT", "extension/{extension}/conference", self._set, "configure"),
        )

    def add(self, extension: Extension) -> None:
        """Let an extension be there, with its room if it is one."""
        self._extensions.add(extension)
        if extension.kind == CONFERENCE:
            self._switchboard.rooms.by_id[extension.extension_id] = Room(extension)

    def check_client(self, request: Request) -> None:
        """Errors: ApiError 404 for any client but the one."""
        if request.params["client"] not in ("@me", str(self._extensions.client_id)):
            raise not_found("client")

    # Extensions

    def _list(self, request: Request) -> Answer:
        self.check_client(request)
        found = self._extensions.listed(request.query, by_type=not self._faults.ignore_type_filter)
        return Answer(200, [self._json(one) for one in found])

    def _create(self, request: Request) -> Answer:
        self.check_client(request)
        made = self._extensions.draft(request.body)
        if not self._faults.ignore_commands:
            self.add(made)
        return Answer(201, self._json(made))

    def _read(self, request: Request) -> Answer:
        return Answer(200, self._json(self._named(request)))

    def _change(self, request: Request) -> Answer:
        extension = self._named(request)
        if request.body.get("name", extension.name) not in (extension.name, extension.number, extension.address):
            raise invalid("name")
        if request.body.get("type", extension.kind) != extension.kind:
            raise invalid("type")
        target = replace(extension) if self._faults.ignore_commands else extension
        change(target, request.body)
        return Answer(200, self._json(target))

    def _remove(self, request: Request) -> Answer:
        extension = self._named(request)
        if not self._faults.ignore_commands:
            self.remove(extension)
        return Answer(204)

    def remove(self, extension: Extension) -> None:
        """Let an extension be gone, with its calls and its event handlers."""
        room = self._switchboard.room_of(extension)
        calls = self._switchboard.calls.of_phone(extension)
        for call in [*calls, *([leg.call for leg in room.legs.values()] if room else [])]:
            self._switchboard.hang_up(call)
        self._switchboard.rooms.by_id.pop(extension.extension_id, None)
        for one in self._subscriptions.of(extension.extension_id):
            self._subscriptions.remove(one)
        del self._extensions.by_id[extension.extension_id]

    def _named(self, request: Request) -> Extension:
        self.check_client(request)
        return self._extensions.named(request.params["extension"])

    def _json(self, extension: Extension) -> Json:
        return extension_json(extension, self._extensions.client_id)

    # Rooms

    def _settings(self, request: Request) -> Answer:
        return Answer(200, written(self._room(request).settings))

    def _set(self, request: Request) -> Answer:
        room = self._room(request)
        settings = changed(room.settings, request.body)
        if not self._faults.ignore_commands:
            room.settings = settings
        return Answer(200, written(settings))

    def _room(self, request: Request) -> Room:
        room = self._switchboard.room_of(self._extensions.named(request.params["extension"]))
        if room is None:
            raise not_found()
        return room
