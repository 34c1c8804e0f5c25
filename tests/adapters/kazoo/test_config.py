"""Settings of a Kazoo: what is accepted, and where a mistake is said to be."""

import pytest
from pydantic import ValidationError

from adapters.kazoo import KazooAdapter
from adapters.kazoo.config import KazooSettings

URL = "http://kazoo.example:8000/v2"
USER = {"url": URL, "username": "operator", "password": "pw-secret", "account_name": "demo"}
KEY = {"url": URL, "api_key": "k" * 64}


@pytest.mark.parametrize("good", [USER, KEY])
def test_a_user_or_an_api_key_is_enough(good: dict[str, object]) -> None:
    settings = KazooSettings.model_validate(good)
    assert settings.socket_url == "ws://kazoo.example:5555/"
    assert settings.poll_interval_s == 45
    assert settings.generation == "auto"
    assert not settings.recording


@pytest.mark.parametrize(
    ("url", "socket_url"),
    [
        ("https://kazoo.example/v2/", "wss://kazoo.example:5555/"),
        ("http://[::1]:8000/v2", "ws://[::1]:5555/"),
    ],
)
def test_the_event_socket_is_beside_the_rest_interface_unless_it_is_given(url: str, socket_url: str) -> None:
    assert KazooSettings.model_validate(KEY | {"url": url}).socket_url == socket_url
    given = KazooSettings.model_validate(KEY | {"socket_url": "wss://events.example/socket"})
    assert given.socket_url == "wss://events.example/socket"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (USER | {"url": "kazoo.example"}, "url"),
        (USER | {"url": "http://me:pw@kazoo.example/v2"}, "url"),
        (USER | {"socket_url": "http://kazoo.example"}, "socket_url"),
        ({"url": URL}, "api_key"),
        (USER | {"api_key": "k" * 64}, "api_key"),
        (KEY | {"api_key": "short-secret"}, "api_key"),
        ({"url": URL, "username": "operator", "account_name": "demo"}, "password"),
        (KEY | {"password": "pw-secret"}, "password"),
        ({"url": URL, "username": "operator", "password": "pw-secret"}, "username"),
        (USER | {"account_realm": "demo.example"}, "username"),
        (KEY | {"phone_number": "+12025550100"}, "username"),
        (USER | {"method": "sha1"}, "method"),
        (USER | {"generation": "3.22"}, "generation"),
        (USER | {"poll_interval_s": 0}, "poll_interval_s"),
        (USER | {"colour": "red"}, "colour"),
        ({"username": "operator"}, "url"),
    ],
)
def test_a_mistake_is_named_by_its_setting_and_shows_no_secret(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KazooAdapter.configured(wrong)
    assert (place,) in [error["loc"] for error in caught.value.errors()]
    assert "secret" not in str(caught.value)


def test_every_setting_is_described_and_secrets_do_not_show() -> None:
    assert all(field.description for field in KazooSettings.model_fields.values())
    assert "pw-secret" not in repr(KazooSettings.model_validate(USER))
