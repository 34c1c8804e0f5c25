"""Who is who and what they are doing: extensions, devices and presence."""

from .api import Answer, Request, Route
from .people import Account, Extension
from .sessions import Sessions
from .shapes import Json
from .wording import devices, extension_info, paged, presence

_EXTENSION = "account/{account}/extension/{extension}"


class Directory:
    """Answers what is asked about the account."""

    def __init__(self, account: Account, sessions: Sessions) -> None:
        self._account = account
        self._sessions = sessions
        self.routes = (
            Route("GET", _EXTENSION, self._extension, "light", "ReadAccounts"),
            Route("GET", f"{_EXTENSION}/device", self._devices, "light", "ReadAccounts"),
            Route("GET", f"{_EXTENSION}/presence", self._presence, "light", "ReadPresence"),
            Route("GET", "account/{account}/presence", self._everybody, "light", "ReadPresence"),
        )

    async def _extension(self, request: Request) -> Answer:
        return Answer(200, extension_info(self._account, self._asked(request)))

    async def _devices(self, request: Request) -> Answer:
        return Answer(200, devices(self._asked(request)))

    async def _presence(self, request: Request) -> Answer:
        return Answer(200, self._present(request, self._asked(request)))

    async def _everybody(self, request: Request) -> Answer:
        self._account.check(request.params["account"])
        return Answer(200, paged([self._present(request, one) for one in self._account.extensions.values()]))

    def _present(self, request: Request, extension: Extension) -> Json:
        detailed = request.query.get("detailedTelephonyState") == "true"
        return presence(self._account, extension, list(self._sessions.by_id.values()), detailed=detailed)

    def _asked(self, request: Request) -> Extension:
        return self._account.resolved(request.params["account"], request.params["extension"], request.asker)
