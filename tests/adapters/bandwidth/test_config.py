"""Settings of a Bandwidth user: what is accepted, and where a mistake is said to be."""

import pytest
from pydantic import ValidationError

from adapters.bandwidth.config import BandwidthSettings

HOOK = "https://gateway.example.com/hooks/bw"
ENOUGH = {
    "user_id": "u-abc",
    "token": "t-token-secret",
    "secret": "basic-secret",
    "number": "+12025550100",
    "callback_url": HOOK,
}


def settings(**change: object) -> BandwidthSettings:
    return BandwidthSettings.model_validate(ENOUGH | change)


def test_a_user_a_number_and_a_hook_are_enough() -> None:
    found = settings()
    assert found.url == "https://api.catapult.inetwork.com"
    assert (found.token.get_secret_value(), found.secret.get_secret_value()) == ("t-token-secret", "basic-secret")
    assert (found.requests_per_second, found.ring_s) == (1, 60)
    assert (found.poll_interval_s, found.request_timeout_s) == (60, 10)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.catapult.inetwork.com/", "https://api.catapult.inetwork.com"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://[::1]:8090/", "http://[::1]:8090"),
        ("https://proxy.example.com/bandwidth/", "https://proxy.example.com/bandwidth"),
    ],
)
def test_everything_is_below_the_url(given: str, kept: str) -> None:
    assert settings(url=given).url == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (HOOK, f"{HOOK}/"),
        (f"{HOOK}/", f"{HOOK}/"),
        ("http://127.0.0.1:8000/hooks/bw", "http://127.0.0.1:8000/hooks/bw/"),
        ("http://localhost:8000/hooks/bw/", "http://localhost:8000/hooks/bw/"),
        ("http://[::1]:8000/hooks/bw/", "http://[::1]:8000/hooks/bw/"),
    ],
)
def test_a_hook_is_called_without_a_redirect(given: str, kept: str) -> None:
    assert settings(callback_url=given).callback_url == kept


def test_the_environment_can_say_everything_with_text() -> None:
    found = settings(requests_per_second="5", ring_s="30", poll_interval_s="20", request_timeout_s="2.5")
    assert (found.requests_per_second, found.ring_s) == (5, 30)
    assert (found.poll_interval_s, found.request_timeout_s) == (20, 2.5)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"url": "api.catapult.inetwork.com"}, "url"),
        ({"url": "ftp://api.catapult.inetwork.com"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://api.catapult.inetwork.com/v1"}, "url"),
        ({"url": "https://api.catapult.inetwork.com/v1/"}, "url"),
        ({"url": "https://me:pw-secret@example.com"}, "url"),
        ({"url": "https://me:pw-secret"}, "url"),
        ({"url": "https://example.com/?token=pw-secret"}, "url"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "u-1/calls"}, "user_id"),
        ({"user_id": ".."}, "user_id"),
        ({"token": ""}, "token"),
        ({"token": "t-1:pw-secret"}, "token"),
        ({"secret": ""}, "secret"),
        ({"number": "2025550100"}, "number"),
        ({"number": "+1 202 555 0100"}, "number"),
        ({"number": "+0123"}, "number"),
        ({"number": "+1202555010012345"}, "number"),
        ({"number": "+12025550100\n"}, "number"),
        ({"callback_url": "http://gateway.example.com/hooks/bw"}, "callback_url"),
        ({"callback_url": "http://127.0.0.1.example.com/hooks/bw"}, "callback_url"),
        ({"callback_url": f"{HOOK}?key=pw-secret"}, "callback_url"),
        ({"callback_url": "https://me:pw-secret@gateway.example.com/hooks/bw"}, "callback_url"),
        ({"callback_url": "/hooks/bw"}, "callback_url"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"ring_s": 0}, "ring_s"),
        ({"ring_s": 301}, "ring_s"),
        ({"poll_interval_s": -1}, "poll_interval_s"),
        ({"request_timeout_s": 0}, "request_timeout_s"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_named_by_its_setting_and_shows_no_secret(wrong: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert {error["loc"][0] for error in caught.value.errors()} == {place}
    assert "-secret" not in str(caught.value)


@pytest.mark.parametrize("missing", ENOUGH)
def test_what_is_missing_is_said(missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BandwidthSettings.model_validate({name: value for name, value in ENOUGH.items() if name != missing})
    assert [error["loc"] for error in caught.value.errors()] == [(missing,)]


def test_every_setting_is_described_and_secrets_do_not_show() -> None:
    assert all(field.description for field in BandwidthSettings.model_fields.values())
    assert "-secret" not in repr(settings())
