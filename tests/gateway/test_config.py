"""A configuration is used as a whole or refused with every fault named by its place."""

from pathlib import Path

import pytest

from gateway.config import Config, ConfigError

_GOOD = """
[[backends]]
id = "office"
kind = "kazoo"
name = "Office"
url = "http://127.0.0.1:8000/v2"
account_name = "example"
username = "gateway"
password = "env:KAZOO_PASSWORD"
"""
_SECRETS = {"KAZOO_PASSWORD": "hunter2"}


def _load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return Config.load(path, {**_SECRETS, **(environment or {})})


def _problems(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as refusal:
        _load(folder, text, environment)
    return str(refusal.value)


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    config = _load(tmp_path, _GOOD)
    (backend,) = config.backends
    assert (backend.id, backend.name, backend.adapter.kind) == ("office", "Office", "kazoo")
    assert (config.server.host, config.server.port, config.limits.confirm_s) == ("127.0.0.1", 8000, 3.0)


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    environment = {
        "CONFERENCE_GATEWAY_SERVER_PORT": "9000",
        "CONFERENCE_GATEWAY_LIMITS_CONFIRM_S": "1.5",
        "CONFERENCE_GATEWAY_BACKENDS_OFFICE_PASSWORD": "from the environment",
    }
    config = _load(tmp_path, _GOOD.replace('password = "env:KAZOO_PASSWORD"', ""), environment)
    assert (config.server.port, config.limits.confirm_s) == (9000, 1.5)


def test_a_secret_can_be_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n", encoding="utf-8")
    assert _load(tmp_path, _GOOD.replace("env:KAZOO_PASSWORD", "file:password")).backends


def test_a_secret_that_cannot_be_found_is_named(tmp_path: Path) -> None:
    problems = _problems(tmp_path, _GOOD.replace("env:KAZOO_PASSWORD", "env:NOT_THERE"))
    assert "backends[0].password: the environment variable NOT_THERE is not set" in problems
    problems = _problems(tmp_path, _GOOD.replace("env:KAZOO_PASSWORD", "file:missing"))
    assert "backends[0].password: the file missing cannot be read" in problems


def test_a_setting_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    problems = _problems(tmp_path, f'[server]\nprot = 1\n{_GOOD}tokken = "x"\n')
    assert "server.prot: no such setting; accepted here: host, port, allowed_origins" in problems
    assert "backends[0].tokken: no such setting; accepted here: id, kind, name, url" in problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[server]\nport = 70000\n" + _GOOD, "server.port"),
        ("[limits]\nconfirm_s = 0\n" + _GOOD, "limits.confirm_s"),
        ("[limits]\ntalking_interval_s = -1\n" + _GOOD, "limits.talking_interval_s"),
        ('[server]\nlegacy_graphql_ws = "maybe"\n' + _GOOD, "server.legacy_graphql_ws"),
        ('[viewer]\nroles = ["KING"]\n' + _GOOD, "viewer.roles[0]"),
        ("", "backends"),
        ("backends = 3\n", "backends"),
        (_GOOD.replace('kind = "kazoo"', 'kind = "asterisk"'), "backends[0].kind: 'asterisk' is not a kind of backend"),
        (_GOOD.replace('id = "office"', 'id = "The Office"'), "backends[0].id"),
        (_GOOD.replace("url", "ulr"), "backends[0].url"),
        (_GOOD + _GOOD, "backends[1].id: 'office' is taken"),
        ("[server\n", "not valid TOML"),
    ],
)
def test_each_fault_is_named_by_its_place(tmp_path: Path, text: str, place: str) -> None:
    assert place in _problems(tmp_path, text)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    problems = _problems(tmp_path, "[server]\nport = 70000\n[limits]\nconfirm_s = -1\n" + _GOOD.replace("url", "ulr"))
    assert all(place in problems for place in ("server.port", "limits.confirm_s", "backends[0].ulr"))


def test_how_clients_are_served_can_be_set(tmp_path: Path) -> None:
    limits = "outbox_max_bytes = 65536\nheartbeat_s = 5\nstalled_s = 10\ntalking_interval_s = 0\nsocket_operations = 20"
    config = _load(tmp_path, f"[server]\nlegacy_graphql_ws = true\ncompression = true\n[limits]\n{limits}\n{_GOOD}")
    assert config.server.legacy_graphql_ws
    assert config.server.compression
    assert (config.limits.outbox_max_bytes, config.limits.heartbeat_s, config.limits.stalled_s) == (65_536, 5, 10)
    assert (config.limits.talking_interval_s, config.limits.socket_operations) == (0, 20)
    defaults = _load(tmp_path, _GOOD)
    assert not defaults.server.legacy_graphql_ws
    assert not defaults.server.compression
    assert not defaults.documents.only_trusted
    assert defaults.trusted_documents == {}


def test_trusted_documents_are_read_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "documents.json").write_text('{"who": "{ viewer { subject } }"}', encoding="utf-8")
    config = _load(tmp_path, f'[documents]\ntrusted = "documents.json"\nonly_trusted = true\n{_GOOD}')
    assert config.trusted_documents == {"who": "{ viewer { subject } }"}
    assert config.documents.only_trusted


def test_trusted_documents_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    missing = f'[documents]\ntrusted = "missing.json"\n{_GOOD}'
    assert "documents.trusted: " in (problem := _problems(tmp_path, missing))
    assert "missing.json: cannot be read" in problem
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    assert "bad.json: must be an object" in _problems(tmp_path, f'[documents]\ntrusted = "bad.json"\n{_GOOD}')
    assert "documents.only_trusted" in _problems(tmp_path, f"[documents]\nonly_trusted = true\n{_GOOD}")


def test_a_fault_does_not_repeat_a_secret(tmp_path: Path) -> None:
    problems = _problems(tmp_path, _GOOD.replace('url = "http', 'url = "ftp') + 'api_key = "hunter2"\n')
    assert "hunter2" not in problems


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file"):
        Config.load(tmp_path / "missing.toml", {})
