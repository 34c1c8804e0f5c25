"""What `check` gives to adapters besides a connection."""

from pathlib import Path

import pytest

from gateway.commands.check import _check_all
from gateway.config import Config, DocumentSettings, LimitSettings, ServerSettings, StorageSettings, ViewerSettings
from gateway.live.live import ConfiguredBackend
from gateway.model.ids import BackendId
from gateway.storage import StorageError
from tests.gateway.live.test_notes import Keeper
from tests.switchboard import Switchboard


def config(url: str, *switches: Switchboard) -> Config:
    backends = tuple(
        ConfiguredBackend(BackendId(f"switch-{nth}"), "Switch", switch) for nth, switch in enumerate(switches)
    )
    return Config(
        ServerSettings(), StorageSettings(url=url), LimitSettings(), DocumentSettings(), {}, ViewerSettings(), backends
    )


async def test_an_adapter_that_keeps_notes_has_them_while_it_is_checked(tmp_path: Path) -> None:
    database = tmp_path / "gateway.sqlite3"
    for _ in range(2):
        keeper = Keeper()
        assert await _check_all(config(f"sqlite:///{database}", Switchboard(), keeper))
        assert len(keeper.given) == 1


async def test_without_such_an_adapter_the_storage_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "gateway.sqlite3"
    assert await _check_all(config(f"sqlite:///{database}", Switchboard()))
    assert not database.exists()


async def test_a_storage_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open"):
        await _check_all(config(f"sqlite:///{tmp_path / 'missing' / 'gateway.sqlite3'}", Keeper()))
