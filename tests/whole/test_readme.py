"""What README shows is so."""

import re
import tomllib
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from gateway.config import Config
from tests.whole.commands import finished

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", _README, flags=re.DOTALL | re.MULTILINE)
    return [text for each, text in blocks if each == language]


@pytest.mark.parametrize("document", _blocks("graphql"))
def test_each_document_is_valid(document: str) -> None:
    schema = build_schema((_ROOT / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(schema, parse(document)) == []


@pytest.fixture(name="toml")
def _toml(tmp_path: Path) -> Path:
    """Give its configuration as a file."""
    (text,) = _blocks("toml")
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _secrets(toml: Path) -> dict[str, str]:
    return dict.fromkeys(re.findall(r'"env:(\w+)"', toml.read_text(encoding="utf-8")), "secret")


def test_the_configuration_can_be_used(toml: Path) -> None:
    config = Config.load(toml, _secrets(toml))
    written = tomllib.loads(toml.read_text(encoding="utf-8"))["backends"]
    assert [backend.id for backend in config.backends] == [each["id"] for each in written]


async def test_the_table_of_capabilities_is_what_the_command_prints(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in _secrets(toml).items():
        monkeypatch.setenv(name, secret)
    code, out, err = await finished("capabilities", "--config", str(toml), "--markdown")
    assert code == 0, err
    assert _README.partition("<!-- capabilities -->\n")[2].partition("<!-- /capabilities -->")[0] == out


async def test_the_help_is_what_the_command_prints() -> None:
    (shown,) = (block for block in _blocks("") if block.startswith("$ conference-gateway --help"))
    _, out, _ = await finished("--help")
    assert shown.partition("\n")[2].split() == out.replace("python -m gateway.main", "conference-gateway").split()


def test_each_file_it_names_is_there() -> None:
    named = re.findall(r"`((?:gateway|adapters|tests)/[\w/.]+)`|\]\(([\w/.]+)\)", _README)
    missing = [path for pair in named for path in pair if path and not (_ROOT / path).exists()]
    assert missing == []
