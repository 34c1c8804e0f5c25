"""Addresses in settings: absolute, without secrets, and never repeated when they are wrong."""

import pytest

from adapters.kit import addresses

SECRET = "s3cret-of-a-user"


@pytest.mark.parametrize(
    "url",
    [
        "backend.example",
        "ftp://backend.example",
        "http://",
        "http://backend.example:port",
        f"http://user:{SECRET}@backend.example",
        f"http://user:{SECRET}@backend\u2100.example",
        f"http://backend.example?token={SECRET}",
        f"http://backend.example#{SECRET}",
    ],
)
def test_what_is_no_plain_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|no user") as caught:
        addresses.base(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_base_has_no_slash_at_its_end_and_a_callback_has_one() -> None:
    assert addresses.base("https://backend.example/api/") == "https://backend.example/api"
    assert addresses.callback("https://gateway.example/hooks/a", "why") == "https://gateway.example/hooks/a/"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_only_on_loopback_a_backend_may_call_in_clear(host: str) -> None:
    assert addresses.callback(f"http://{host}", "it tells numbers") == f"http://{host}/"
    with pytest.raises(ValueError, match="must begin with https://: it tells numbers"):
        addresses.callback("http://gateway.example", "it tells numbers")
