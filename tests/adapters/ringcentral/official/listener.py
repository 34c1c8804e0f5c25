"""An app with RingCentral's own Python client: signs in, reads, follows, and tells what comes, a line of JSON each."""

import asyncio
import json
import sys
from typing import Any

from ringcentral import SDK
from ringcentral.websocket.events import WebSocketEvents

SERVER, CLIENT_ID, CLIENT_SECRET, JWT = sys.argv[1:]
FILTER = "/restapi/v1.0/account/~/extension/~/telephony/sessions"


def tell(kind: str, what: Any) -> None:
    sys.stdout.write(json.dumps({kind: what}) + "\n")
    sys.stdout.flush()


async def main() -> None:
    sdk = SDK(CLIENT_ID, CLIENT_SECRET, SERVER)
    platform = sdk.platform()
    platform.login(jwt=JWT)
    platform.refresh()
    tell("me", platform.get("/restapi/v1.0/account/~/extension/~").json_dict()["name"])
    conference = platform.post("/restapi/v1.0/account/~/telephony/conference").json_dict()["session"]
    tell("conference", conference["id"])
    ready, left = asyncio.Event(), asyncio.Event()

    def notified(message: Any) -> None:
        [party] = message[1]["body"]["parties"]
        tell("event", [message[1]["body"]["telephonySessionId"], party["status"]["code"]])
        if party["status"]["code"] == "Disconnected":
            left.set()

    client = sdk.create_web_socket_client()
    client.on(WebSocketEvents.subscriptionCreated, lambda _: tell("subscribed", True))
    client.on(WebSocketEvents.receiveSubscriptionNotification, notified)
    client.on(WebSocketEvents.connectionCreated, lambda _: ready.set())
    connected = asyncio.create_task(client.create_new_connection())
    await ready.wait()
    await client.create_subscription([FILTER])
    await left.wait()
    connected.cancel()
    await asyncio.wait([connected])
    platform.logout()


asyncio.run(main())
