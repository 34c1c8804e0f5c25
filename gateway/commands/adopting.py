"""The conferences of simulated backends that list none: adopted by hand with a mutation to paste, or by the demo."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence

import aiohttp
import msgspec

from gateway.commands.running import Complaint
from gateway.model.ids import BackendId
from gateway.schema.ids import backend_gid

_PATIENCE_S = 60.0
_ASK_AGAIN_S = 0.25
_AT_ONCE = 8
_PASTED_MAX = 50
"""How many conferences one mutation adopts: a document has a limit of fields."""
_PASSING = ("BACKEND_UNAVAILABLE", "BACKEND_RATE_LIMITED", "TIMEOUT")
_ADOPT = """mutation ($input: AdoptRoomInput!) {
  adoptRoom(input: $input) { outcome errors { code message } }
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


class _Adoption(msgspec.Struct):
    outcome: str
    errors: list[dict[str, str]]


class _Data(msgspec.Struct):
    adoption: _Adoption = msgspec.field(name="adoptRoom")


class _Answer(msgspec.Struct):
    data: _Data


async def adopt(url: str, wanted: Mapping[str, Sequence[str]]) -> None:
    """Adopt conferences, given by the ids of their backends, as soon as these are connected.

    Errors: Complaint for the first one that cannot be adopted.
    """
    at_once = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession() as session:

        async def one(backend_id: str, native_id: str) -> None:
            async with at_once:
                await _adopt_one(session, url, backend_id, native_id)

        try:
            async with asyncio.TaskGroup() as group:
                for backend_id, native_ids in wanted.items():
                    for native_id in native_ids:
                        group.create_task(one(backend_id, native_id))
        except* Complaint as complaints:
            raise Complaint(str(complaints.exceptions[0])) from None


async def _adopt_one(session: aiohttp.ClientSession, url: str, backend_id: str, native_id: str) -> None:
    wish = {"backendId": backend_gid(BackendId(backend_id)), "nativeId": native_id}
    why = "no answer"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                errors = await _refusals(session, url, wish)
                if errors is None:
                    return
                why = "; ".join(error["message"] for error in errors) or why
                # Without an answer it may have been adopted: another time does no harm.
                if any(error["code"] not in _PASSING for error in errors):
                    break
                await asyncio.sleep(_ASK_AGAIN_S)
    except TimeoutError:
        why = f"{why}, for {_PATIENCE_S:.0f} s"
    except (aiohttp.ClientError, msgspec.MsgspecError) as error:
        why = f"the gateway gave no answer that could be read ({type(error).__name__})"
    raise Complaint(f"the conference {native_id} of {backend_id} could not be adopted: {why}")


async def _refusals(
    session: aiohttp.ClientSession, url: str, wish: Mapping[str, str]
) -> Sequence[Mapping[str, str]] | None:
    """Ask once; give why it was not adopted, or None if it was."""
    async with session.post(url, json={"query": _ADOPT, "variables": {"input": wish}}) as response:
        answer = msgspec.json.decode(await response.read(), type=_Answer).data.adoption
    return None if answer.outcome in ("CONFIRMED", "ACCEPTED") else answer.errors


def _quoted(text: str) -> str:
    return json.dumps(text)
