"""The places of the API about event handlers, of one extension and of all phones."""

from .api import Answer, Request, Route
from .configuration import Configuration
from .extensions import Extensions
from .subscriptions import Subscriptions, subscription_json


class Subscribing:
    """Answers about event handlers."""

    def __init__(self, extensions: Extensions, subscriptions: Subscriptions, configuration: Configuration) -> None:
        self._extensions = extensions
        self._subscriptions = subscriptions
        self._configuration = configuration
        one, every = "extension/{extension}/event", "client/{client}/phone_events"
        self.routes = tuple(
            route
            for place in (one, every)
            for route in (
                Route("GET", place, self._list, "upkeep"),
                Route("POST", place, self._create, "upkeep"),
                Route("DELETE", place, self._remove_all, "upkeep"),
                Route("GET", f"{place}/{{event}}", self._read, "upkeep"),
                Route("DELETE", f"{place}/{{event}}", self._remove, "upkeep"),
            )
        )

    def _list(self, request: Request) -> Answer:
        return Answer(200, [subscription_json(one) for one in self._subscriptions.of(self._whose(request))])

    def _create(self, request: Request) -> Answer:
        return Answer(201, subscription_json(self._subscriptions.add(self._whose(request), request.body)))

    def _read(self, request: Request) -> Answer:
        return Answer(200, subscription_json(self._subscriptions.one(self._whose(request), request.params["event"])))

    def _remove(self, request: Request) -> Answer:
        self._subscriptions.remove(self._subscriptions.one(self._whose(request), request.params["event"]))
        return Answer(204)

    def _remove_all(self, request: Request) -> Answer:
        for one in self._subscriptions.of(self._whose(request)):
            self._subscriptions.remove(one)
        return Answer(204)

    def _whose(self, request: Request) -> int | None:
        if "extension" in request.params:
            return self._extensions.named(request.params["extension"]).extension_id
        self._configuration.check_client(request)
        return None
