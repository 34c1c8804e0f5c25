"""`/healthz` and `/readyz`, for load balancers and whoever is called at night."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.live.live import Live
from gateway.storage import Storage


def health_routes(live: Live, storage: Storage) -> list[Route]:
    """Make the routes."""

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        """Say that requests are served, and how each backend is: one that is down does not make the gateway unready."""
        backends = [
            {
                "id": link.id,
                "status": link.status.value,
                "reason": link.status_reason,
                "rooms": len(link.table),
                "misunderstood": link.adapter.misunderstood,
                "troubles": list(link.adapter.troubles),
            }
            for link in live.links.values()
        ]
        records = {"written": storage.writer.written, "dropped": storage.writer.dropped}
        return JSONResponse({"status": "ready", "backends": backends, "records": records})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
