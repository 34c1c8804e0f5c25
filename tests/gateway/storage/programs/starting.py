"""Open the storage, print the secret named "cursor" and what became of a try to reserve a key.

Arguments: URL.
"""

import asyncio
import sys

from gateway.storage import KeyOwner, Storage


async def main(url: str) -> None:
    async with Storage.open(url) as storage:
        secret = await storage.secret("cursor")
        reservation = await storage.idempotency.reserve(KeyOwner("acme", "ann"), "key", "MUTE 1")
        print(secret.hex(), type(reservation).__name__)  # noqa: T201  this is how it answers the test


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
