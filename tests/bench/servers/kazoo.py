"""A simulated Kazoo in which people join one room: the event's number and time are in their names."""

from adapters.kazoo.simulator import KazooSimulator
from gateway.commands.running import run
from gateway.model.ids import BackendId, RoomId, RoomKey
from gateway.schema.ids import room_gid
from tests.bench.servers.control import Control

BACKEND = "kazoo"


async def _serve() -> None:
    async with KazooSimulator() as simulator:
        room_id = simulator.add_room("Bench")
        simulator.someone_joins(room_id, "Somebody who is there all the time")

        def happen(_: int, text: str) -> None:
            simulator.someone_joins(room_id, text)

        settings = {
            "url": f"{simulator.base_url}/v2",
            "socket_url": simulator.socket_url,
            "account_name": simulator.account_name,
            "username": simulator.username,
            "password": simulator.password,
        }
        gid = room_gid(RoomKey(BackendId(BACKEND), RoomId(room_id)))
        await Control(1, happen).obey({"port": simulator.port, "rooms": [gid], "settings": settings})


if __name__ == "__main__":
    run(_serve())
