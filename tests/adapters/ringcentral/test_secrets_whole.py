"""The adapter behind a gateway: no token, JWT, app secret or voice call token is shown, whatever happens to it."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapter import Receipt
from gateway.live.link import BackendStatus
from gateway.model.commands import Action, CreateRoom
from tests.adapters.ringcentral.ringcentral_gateway import PLENTY, WAYS, House, house
from tests.secrecy import logged

pytestmark = pytest.mark.usefixtures("everything_is_logged")

BEN = "+15550100001"


def a_fault(name: str, value: object = True) -> Callable[[House], object]:
    return lambda there: setattr(there.sim.faults, name, value)


TROUBLES: dict[str, Callable[[House], object]] = {
    "none": lambda there: None,
    "401": a_fault("http_status", 401),
    "403": a_fault("http_status", 403),
    "500": a_fault("http_status", 500),
    "hangs": a_fault("hang"),
    "rate limit": a_fault("rate_limit"),
    "no permission": a_fault("forbidden_scope", "CallControl"),
    "no recovery": a_fault("recovery_fails"),
    "revoked": lambda there: there.sim.revoke_all(),
    "another JWT": lambda there: (object.__setattr__(there.host, "jwt", "another"), there.sim.revoke_all()),
    "strange token": a_fault("wrong_verification_token"),
}


def verification_tokens(there: House) -> list[str]:
    return [each.verification_token for each in there.sim.subscriptions if each.verification_token]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_that_goes_wrong_shows_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trouble: str, way: str
) -> None:
    shown: list[object] = []
    limits = {**PLENTY, "heavy": 2, "light": 40} if trouble == "rate limit" else PLENTY
    async with house(tmp_path, notifications=way, sim={"limits": limits}, request_timeout_s=2) as there:
        conference, (host, ben) = await there.meeting(BEN)
        made = await there.create("Board")
        assert made.voice_call_token in there.sim.secrets
        secrets = {*there.sim.secrets, *verification_tokens(there)}
        TROUBLES[trouble](there)
        there.sim.drop_link()
        shown += [made, await there.create("Another"), await there.invite(conference, BEN)]
        shown += [await there.do_to(Action.MUTE, conference, ben), await there.do_to(Action.KICK, conference, host)]
        shown += [await there.close(conference), there.seat.link.status_reason, there.adapter.troubles]
        shown += [there.seat.seen, there.seat.live.rooms(), vars(there.adapter), there.adapter._settings]
        shown += [there.adapter._hook, *asyncio.all_tasks()]
        secrets |= {*there.sim.secrets, *verification_tokens(there)}
    told = "\n".join(map(repr, shown)) + logged(caplog)
    assert len(secrets) >= 5
    for secret in secrets - {"another"}:
        assert secret not in told


async def test_a_room_that_is_made_shows_its_token_to_who_made_it_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as there:
        receipt = await there.adapter.execute(CreateRoom("Board", {}), None, None)
        [conference] = there.sim.conferences()
        token = there.sim.session(conference).token
        assert token is not None
        assert receipt.voice_call_token == token
        await there.seat.link.reread(receipt.room.id)  # type: ignore[union-attr]  # it was made
        assert there.seat.link.status is BackendStatus.LIVE
        for shown in (receipt, receipt.room, there.room(conference), there.seat.seen):
            assert token not in repr(shown)
        assert token not in str(there.seat.seen)
        assert token not in logged(caplog)


def test_these_tests_would_find_a_token(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("anything").debug("with %s", "conf_1")
    assert "conf_1" in logged(caplog)
    assert "conf_1" not in repr(Receipt(voice_call_token="conf_1"))
    assert "conf_1" in repr(Receipt(voice_call_token="conf_1").voice_call_token)
