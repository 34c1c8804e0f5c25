"""Write down a conference with two participants, one of whom leaves, reserve a key, then wait to be killed.

Arguments: URL.
"""

import asyncio
import sys
from datetime import UTC, datetime

from gateway.storage import ConferenceStarted, KeyOwner, StayEnded, StayStarted, Storage

AT = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


async def main(url: str) -> None:
    async with Storage.open(url) as storage:
        put = storage.writer.put
        put(ConferenceStarted(id="c1", backend_id="kazoo", room_id="sales", room_name="Sales", started_at=AT))
        put(StayStarted(id="s1", conference_id="c1", participant_id="1", joined_at=AT, display_name="Ann"))
        put(StayStarted(id="s2", conference_id="c1", participant_id="2", joined_at=AT, display_name="Bob"))
        put(StayEnded(id="s2", left_at=AT, leave_reason="HUNG_UP"))
        await storage.idempotency.reserve(KeyOwner("acme", "ann"), "key", "MUTE 1")
        await storage.writer.flush()
        print("ready", flush=True)  # noqa: T201  this is what the test waits for
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
