"""Where backends call the adapters of a rig."""

from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.kit.listener import Listener
from gateway.adapter import Adapter
from tests.contract.rig import OnSimulator, Served


class Hooks:
    """The gateway's port as far as backends call it: the routes of each adapter, below a path of its own."""

    def __init__(self) -> None:
        self._app = Starlette()
        self._listener = Listener(self._app, "127.0.0.1", 0)

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop()

    def next_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}{self._next_path()}"

    def mount(self, adapter: Adapter) -> None:
        self._app.routes.append(Mount(self._next_path(), routes=list(adapter.routes())))

    def _next_path(self) -> str:
        return f"/hooks/{len(self._app.routes)}"


class WithHooks(OnSimulator):
    """What rigs do whose backend calls the gateway."""

    def __init__(self, sim: Served) -> None:
        super().__init__(sim)
        self._hooks = Hooks()

    async def __aenter__(self) -> Self:
        await self._hooks.start()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._hooks.stop()
