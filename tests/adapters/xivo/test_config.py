"""Settings of a XiVO: what is accepted, and where a mistake is said to be."""

import pytest
from pydantic import ValidationError

from adapters.xivo.config import XivoSettings

URL = "https://xivo.example.com"
ENOUGH = {"url": URL, "login": "gateway", "password": "pw-secret"}


def settings(**change: object) -> XivoSettings:
    return XivoSettings.model_validate(ENOUGH | change)


def test_a_url_and_one_account_are_enough() -> None:
    found = settings()
    assert found.accounts == {}
    assert (found.room_list, found.lacks) == (True, ())
    assert (found.answer_wait_s, found.poll_interval_s, found.request_timeout_s, found.keepalive_s) == (1, 60, 10, 5)


@pytest.mark.parametrize(
    ("url", "api_url", "cti_url"),
    [
        (URL, f"{URL}/xuc/api/2.0", "wss://xivo.example.com/xuc/api/2.0/cti"),
        (f"{URL}/", f"{URL}/xuc/api/2.0", "wss://xivo.example.com/xuc/api/2.0/cti"),
        (f"{URL}/xuc/api/2.0", f"{URL}/xuc/api/2.0", "wss://xivo.example.com/xuc/api/2.0/cti"),
        (f"{URL}/xuc/api/2.0/", f"{URL}/xuc/api/2.0", "wss://xivo.example.com/xuc/api/2.0/cti"),
        ("http://xivo:8090", "http://xivo:8090/xuc/api/2.0", "ws://xivo:8090/xuc/api/2.0/cti"),
        ("http://[::1]:8090", "http://[::1]:8090/xuc/api/2.0", "ws://[::1]:8090/xuc/api/2.0/cti"),
        (f"{URL}/paris/", f"{URL}/paris/xuc/api/2.0", "wss://xivo.example.com/paris/xuc/api/2.0/cti"),
        ("HTTPS://xivo.example.com", f"{URL}/xuc/api/2.0", "wss://xivo.example.com/xuc/api/2.0/cti"),
    ],
)
def test_everything_is_below_the_url(url: str, api_url: str, cti_url: str) -> None:
    found = settings(url=url)
    assert (found.api_url, found.cti_url) == (api_url, cti_url)


@pytest.mark.parametrize("given", [{"ada": "pw-a", "ben": "pw-b"}, '{"ada": "pw-a", "ben": "pw-b"}'])
def test_further_accounts_are_a_table_or_json_text(given: object) -> None:
    found = settings(accounts=given).accounts
    assert {login: password.get_secret_value() for login, password in found.items()} == {"ada": "pw-a", "ben": "pw-b"}


@pytest.mark.parametrize("given", [["deafen", "close"], "deafen,close", " deafen, close, "])
def test_what_an_old_xivo_lacks_is_a_list_or_text_with_commas(given: object) -> None:
    assert settings(lacks=given).lacks == ("deafen", "close")


def test_the_environment_can_say_everything_with_text() -> None:
    found = settings(room_list="false", lacks="", accounts="", answer_wait_s="0.5", keepalive_s="2")
    assert (found.room_list, found.lacks, found.accounts) == (False, (), {})
    assert (found.answer_wait_s, found.keepalive_s) == (0.5, 2)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"url": "xivo.example.com"}, "url"),
        ({"url": "ftp://xivo.example.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://me:pw-secret@xivo.example.com"}, "url"),
        ({"url": "https://me:pw-secret"}, "url"),
        ({"url": f"{URL}/?token=pw-secret"}, "url"),
        ({"url": f"{URL}/#top"}, "url"),
        ({"login": ""}, "login"),
        ({"password": ""}, "password"),
        ({"accounts": "pw-secret"}, "accounts"),
        ({"accounts": '["pw-secret"]'}, "accounts"),
        ({"accounts": {"gateway": "pw-secret"}}, "accounts"),
        ({"lacks": "deafen,fly"}, "lacks"),
        ({"lacks": ["kick"]}, "lacks"),
        ({"room_list": "perhaps"}, "room_list"),
        ({"answer_wait_s": 0}, "answer_wait_s"),
        ({"poll_interval_s": -1}, "poll_interval_s"),
        ({"request_timeout_s": 0}, "request_timeout_s"),
        ({"keepalive_s": 0}, "keepalive_s"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_named_by_its_setting_and_shows_no_secret(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert {error["loc"][0] for error in caught.value.errors()} == {place}
    assert "secret" not in str(caught.value)


def test_a_further_account_without_a_password_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(accounts={"ada": "", "ben": "pw-secret"})
    assert [error["loc"] for error in caught.value.errors()] == [("accounts", "ada")]


def test_an_account_given_twice_is_named() -> None:
    with pytest.raises(ValidationError, match="repeats 'gateway'"):
        settings(accounts={"ada": "pw", "gateway": "pw"})


@pytest.mark.parametrize("missing", ["url", "login", "password"])
def test_what_is_missing_is_said(missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        XivoSettings.model_validate({name: value for name, value in ENOUGH.items() if name != missing})
    assert [error["loc"] for error in caught.value.errors()] == [(missing,)]


def test_every_setting_is_described_and_secrets_do_not_show() -> None:
    assert all(field.description for field in XivoSettings.model_fields.values())
    assert "secret" not in repr(settings(accounts={"ada": "pw-secret"}))
