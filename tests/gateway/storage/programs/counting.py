"""Add one to a row, again and again, by several tasks: reads, computes, writes.

Arguments: URL, tasks, times.
"""

import asyncio
import sys

from sqlalchemy import BigInteger, Column, MetaData, Table, select

from gateway.storage.engine import Database, parse_url

counter = Table("counter", MetaData(), Column("total", BigInteger))


async def add_one(database: Database) -> None:
    async with database.write() as session:
        connection = await session.connection()
        total = (await connection.execute(select(counter.c.total).with_for_update())).scalar_one()
        await connection.execute(counter.update().values(total=total + 1))


async def count(database: Database, times: int) -> None:
    for _ in range(times):
        await add_one(database)


async def main(url: str, tasks: int, times: int) -> None:
    database = Database(parse_url(url), answer_within_s=60)
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(count(database, times))
    await database.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
