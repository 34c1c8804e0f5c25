"""Settings of a client of Telphin: what is accepted, and where a mistake is said to be."""

import pytest
from pydantic import ValidationError

from adapters.telphin.config import TelphinSettings

HOOK = "https://gateway.example.com/hooks/pbx"
ENOUGH = {"app_id": "app", "app_secret": "app-secret", "webhook_url": HOOK}


def settings(**change: object) -> TelphinSettings:
    return TelphinSettings.model_validate(ENOUGH | change)


def test_an_application_and_an_address_to_call_are_enough() -> None:
    found = settings()
    assert found.url == "https://apiproxy.telphin.ru"
    assert (found.poll_interval_s, found.request_timeout_s) == (300, 10)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.operator.example/", "https://api.operator.example"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://[::1]:8090/", "http://[::1]:8090"),
        ("https://example.com/pbx/", "https://example.com/pbx"),
    ],
)
def test_everything_is_below_the_url(given: str, kept: str) -> None:
    assert settings(url=given).url == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (HOOK, f"{HOOK}/"),
        (f"{HOOK}/", f"{HOOK}/"),
        ("http://127.0.0.1:8000/hooks/pbx", "http://127.0.0.1:8000/hooks/pbx/"),
        ("http://localhost:8000/hooks/pbx/", "http://localhost:8000/hooks/pbx/"),
        ("http://[::1]:8000/hooks/pbx/", "http://[::1]:8000/hooks/pbx/"),
    ],
)
def test_a_word_can_be_appended_to_the_address_of_the_hook(given: str, kept: str) -> None:
    assert settings(webhook_url=given).webhook_url == kept


def test_the_environment_can_say_everything_with_text() -> None:
    found = settings(poll_interval_s="60", request_timeout_s="2.5")
    assert (found.poll_interval_s, found.request_timeout_s) == (60, 2.5)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"url": "apiproxy.telphin.ru"}, "url"),
        ({"url": "ftp://apiproxy.telphin.ru"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://me:pw-secret@example.com"}, "url"),
        ({"url": "https://me:pw-secret"}, "url"),
        ({"url": "https://example.com/?token=pw-secret"}, "url"),
        ({"app_id": ""}, "app_id"),
        ({"app_secret": ""}, "app_secret"),
        ({"webhook_url": "http://gateway.example.com/hooks/pbx"}, "webhook_url"),
        ({"webhook_url": "http://127.0.0.1.example.com/hooks/pbx"}, "webhook_url"),
        ({"webhook_url": "https://me:pw-secret@gateway.example.com/hooks/pbx"}, "webhook_url"),
        ({"webhook_url": f"{HOOK}?key=pw-secret"}, "webhook_url"),
        ({"webhook_url": f"{HOOK}#pw-secret"}, "webhook_url"),
        ({"poll_interval_s": 0}, "poll_interval_s"),
        ({"request_timeout_s": -1}, "request_timeout_s"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_named_by_its_setting_and_shows_no_secret(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert {error["loc"][0] for error in caught.value.errors()} == {place}
    assert "secret" not in str(caught.value).replace("app_secret", "")


@pytest.mark.parametrize("missing", ENOUGH)
def test_what_is_missing_is_said(missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TelphinSettings.model_validate({name: value for name, value in ENOUGH.items() if name != missing})
    assert [error["loc"] for error in caught.value.errors()] == [(missing,)]


def test_every_setting_is_described_and_secrets_do_not_show() -> None:
    assert all(field.description for field in TelphinSettings.model_fields.values())
    assert "app-secret" not in repr(settings())
