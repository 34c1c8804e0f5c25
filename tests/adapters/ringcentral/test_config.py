"""Settings of a RingCentral account: what is accepted, and where a mistake is said to be."""

import pytest
from pydantic import ValidationError

from adapters.ringcentral.config import RingCentralSettings

ENOUGH = {"client_id": "app", "client_secret": "app-secret", "jwt": "jwt-secret"}
HOOK = "https://gateway.example.com/hooks/rc"


def settings(**change: object) -> RingCentralSettings:
    return RingCentralSettings.model_validate(ENOUGH | change)


def test_an_app_and_a_jwt_are_enough() -> None:
    found = settings()
    assert found.url == "https://platform.ringcentral.com"
    assert (found.notifications, found.webhook_url, found.scope, found.device_id) == (
        "websocket",
        None,
        "extension",
        None,
    )
    assert (found.max_parties, found.host_wait_s, found.poll_interval_s, found.request_timeout_s) == (10, 38, 60, 10)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://platform.devtest.ringcentral.com/", "https://platform.devtest.ringcentral.com"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://[::1]:8090/", "http://[::1]:8090"),
    ],
)
def test_everything_is_below_the_url(given: str, kept: str) -> None:
    assert settings(url=given).url == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (HOOK, f"{HOOK}/"),
        (f"{HOOK}/", f"{HOOK}/"),
        ("http://127.0.0.1:8000/hooks/rc", "http://127.0.0.1:8000/hooks/rc/"),
        ("http://localhost:8000/hooks/rc/", "http://localhost:8000/hooks/rc/"),
        ("http://[::1]:8000/hooks/rc/", "http://[::1]:8000/hooks/rc/"),
    ],
)
def test_a_hook_is_called_without_a_redirect(given: str, kept: str) -> None:
    assert settings(notifications="webhook", webhook_url=given).webhook_url == kept


def test_the_environment_can_say_everything_with_text() -> None:
    found = settings(max_parties="5", host_wait_s="1.5", poll_interval_s="30", request_timeout_s="2", device_id="d1")
    assert (found.max_parties, found.host_wait_s, found.poll_interval_s, found.device_id) == (5, 1.5, 30, "d1")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"url": "platform.ringcentral.com"}, "url"),
        ({"url": "ftp://platform.ringcentral.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://me:pw-secret@example.com"}, "url"),
        ({"url": "https://me:pw-secret"}, "url"),
        ({"url": "https://example.com/?token=pw-secret"}, "url"),
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"jwt": ""}, "jwt"),
        ({"notifications": "pubnub"}, "notifications"),
        ({"notifications": "webhook"}, "webhook_url"),
        ({"webhook_url": HOOK}, "webhook_url"),
        ({"notifications": "webhook", "webhook_url": "http://gateway.example.com/hooks/rc"}, "webhook_url"),
        ({"notifications": "webhook", "webhook_url": "http://127.0.0.1.example.com/hooks/rc"}, "webhook_url"),
        ({"notifications": "webhook", "webhook_url": f"{HOOK}?key=pw-secret"}, "webhook_url"),
        ({"scope": "everybody"}, "scope"),
        ({"device_id": ""}, "device_id"),
        ({"max_parties": 1}, "max_parties"),
        ({"host_wait_s": 0}, "host_wait_s"),
        ({"poll_interval_s": -1}, "poll_interval_s"),
        ({"request_timeout_s": 0}, "request_timeout_s"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_named_by_its_setting_and_shows_no_secret(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert {error["loc"][0] for error in caught.value.errors()} == {place}
    assert "secret" not in str(caught.value).replace("client_secret", "")


@pytest.mark.parametrize("missing", ENOUGH)
def test_what_is_missing_is_said(missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RingCentralSettings.model_validate({name: value for name, value in ENOUGH.items() if name != missing})
    assert [error["loc"] for error in caught.value.errors()] == [(missing,)]


def test_every_setting_is_described_and_secrets_do_not_show() -> None:
    assert all(field.description for field in RingCentralSettings.model_fields.values())
    assert "-secret" not in repr(settings())
