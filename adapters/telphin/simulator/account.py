"""The places of the API about the client itself: who asks, what limits there are, which calls there were.

Inferred: the members of a limit, and most of what a user is.
"""

from .api import Answer, Request, Route
from .configuration import Configuration
from .extensions import Extensions
from .failures import ApiError
from .faults import Faults
from .history import listed
from .subscriptions import Subscriptions
from .switchboard import Switchboard


class Account:
    """Answers about the client."""

    def __init__(
        self,
        faults: Faults,
        extensions: Extensions,
        subscriptions: Subscriptions,
        switchboard: Switchboard,
        configuration: Configuration,
    ) -> None:
        self._faults = faults
        self._extensions = extensions
        self._subscriptions = subscriptions
        self._switchboard = switchboard
        self._configuration = configuration
        self.routes = (
            Route("GET", "user", self._user),
            Route("GET", "client/{client}/limit", self._limit),
            Route("GET", "client/{client}/call_history", self._history),
        )

    def _user(self, _: Request) -> Answer:
        client_id = self._extensions.client_id
        return Answer(
            200,
            {
                "id": client_id + 1,
                "login": "gateway",
                "client_id": client_id,
                "extension_id": None,
                "extension_group_id": None,
                "dealer_id": 1,
                "admin": False,
                "access": "client",
                "timezone": "Europe/Moscow",
                "extra_params": None,
            },
        )

    def _limit(self, request: Request) -> Answer:
        self._configuration.check_client(request)
        made = len(self._subscriptions.by_id)
        return Answer(200, {"event": {"limit": self._subscriptions.limit, "used": made}})

    def _history(self, request: Request) -> Answer:
        self._configuration.check_client(request)
        if self._faults.statistics_busy:
            raise ApiError(429, "Stats request already exists, wait for it to end")
        return Answer(200, listed(self._switchboard.past, request.query))
