"""A backend calls the gateway: what it says comes in on the gateway's own port, below `/hooks/<backend id>`."""

from pathlib import Path

import aiohttp
from starlette.applications import Starlette

from adapters.ringcentral import RingCentralAdapter
from adapters.ringcentral.simulator import RingCentralSimulator
from gateway.live.link import BackendStatus
from gateway.live.live import ConfiguredBackend, Live
from gateway.model.ids import BackendId, RoomId, RoomKey
from gateway.model.viewer import Viewer, ViewerRole
from gateway.storage import Storage
from gateway.web.app import WebLimits, make_app
from gateway.web.server import serving
from tests.watching import watching_all, watching_backends

_BACKEND = BackendId("cloud")
_VIEWER = Viewer("ann", "default", frozenset(ViewerRole), {})


async def test_ringcentral_calls_the_gateway_when_somebody_joins(tmp_path: Path) -> None:
    outside = Starlette()  # the address has to be known before there is a gateway
    async with RingCentralSimulator() as sim, serving(outside, "127.0.0.1", 0) as port:
        ada = sim.add_extension("Ada Lambert", "101")
        conference = sim.open_conference(ada)
        settings = {
            "url": sim.url,
            "client_id": sim.client_id,
            "client_secret": sim.client_secret,
            "jwt": ada.jwt,
            "notifications": "webhook",
            "webhook_url": f"http://127.0.0.1:{port}/hooks/{_BACKEND}",
        }
        backend = ConfiguredBackend(_BACKEND, "Cloud", RingCentralAdapter.configured(settings))
        async with (
            Storage.open(f"sqlite:///{tmp_path}/gateway.sqlite3") as storage,
            Live([backend], storage, b"0" * 32) as live,
        ):
            outside.mount("/", make_app(live, storage, lambda _: _VIEWER, b"1" * 32, WebLimits()))
            with watching_backends(live.hub) as changes:
                while live.links[_BACKEND].status is not BackendStatus.LIVE:
                    await changes.next()
            with watching_all(live.hub) as updates:
                leg = sim.bring_in(conference, sim.make_call(ada, "+15550100001", "Ben"))
                while leg not in _people(live, conference):
                    await updates.next()
            assert _people(live, conference)[leg] == "Ben"
            assert [each.transport for each in sim.subscriptions] == ["WebHook"]
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as stranger:
                for path in (f"/hooks/{_BACKEND}/", "/hooks/another/"):
                    assert (await stranger.post(path, json={})).status == 404


def _people(live: Live, conference: str) -> dict[str, str | None]:
    room_at = live.room(RoomKey(_BACKEND, RoomId(conference)))
    return {} if room_at is None else {who: each.display_name for who, each in room_at.room.participants.items()}
