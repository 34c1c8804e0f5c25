"""The conferences of simulated backends that list none: adopted by hand with a mutation to paste, or by the demo."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence

import aiohttp

from gateway.commands.running import Complaint
from gateway.model.ids import BackendId
from gateway.schema.ids import backend_gid

_PATIENCE_S = 60.0
_ASK_AGAIN_S = 0.25
_PASTED_MAX = 50
"""How many conferences one mutation adopts: a document has a limit of fields."""
_ADOPT = """mutation ($input: AdoptRoomInput!) {
  adoptRoom(input: $input) { outcome errors { message retryAfterMs } }
}"""


def to_paste(backend_id: str, native_ids: Sequence[str]) -> Iterator[str]:
    """Write the mutations that adopt these conferences."""
    for begin in range(0, len(native_ids), _PASTED_MAX):
        lines = (
            f"  adopted{nth}: adoptRoom(input: {{backendId: {_quoted(backend_gid(BackendId(backend_id)))}, "
            f"nativeId: {_quoted(native_id)}}}) {{ outcome errors {{ message }} room {{ id name }} }}"
            for nth, native_id in enumerate(native_ids[begin : begin + _PASTED_MAX], begin + 1)
        )
        yield "\n".join(("mutation {", *lines, "}"))


async def adopt(url: str, wanted: Mapping[str, Sequence[str]]) -> None:
    """Adopt conferences, given by the ids of their backends, as soon as these are connected.

    Errors: Complaint for the first one that cannot be adopted.
    """
    async with aiohttp.ClientSession() as session:
        for backend_id, native_ids in wanted.items():
            for native_id in native_ids:
                await _adopt_one(session, url, backend_id, native_id)


async def _adopt_one(session: aiohttp.ClientSession, url: str, backend_id: str, native_id: str) -> None:
    wish = {"backendId": backend_gid(BackendId(backend_id)), "nativeId": native_id}
    why = "no answer"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                async with session.post(url, json={"query": _ADOPT, "variables": {"input": wish}}) as response:
                    answer = (await response.json())["data"]["adoptRoom"]
                if answer["outcome"] in ("CONFIRMED", "ACCEPTED"):
                    return
                why = "; ".join(error["message"] for error in answer["errors"])
                # Without an answer it may have been adopted: another time does no harm.
                if answer["outcome"] == "REJECTED" and not any(each["retryAfterMs"] for each in answer["errors"]):
                    break
                await asyncio.sleep(_ASK_AGAIN_S)
    except TimeoutError:
        why = f"{why}, for {_PATIENCE_S:.0f} s"
    raise Complaint(f"the conference {native_id} of {backend_id} could not be adopted: {why}")


def _quoted(text: str) -> str:
    return json.dumps(text)
