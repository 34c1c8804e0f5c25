"""Addresses in settings: where a backend is, and where it calls us."""

import ipaddress

from yarl import URL


def checked(url: str, *schemes: str) -> URL:
    """Read an absolute URL with one of these schemes, in which nothing is secret.

    Errors: ValueError, which repeats nothing of it.
    """
    try:
        parts = URL(url)
    except ValueError:
        raise ValueError("is no URL") from None  # theirs may repeat what should not be there
    if parts.scheme not in schemes or not parts.host:
        raise ValueError(f"must be an absolute URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
    if parts.user is not None or parts.password is not None or parts.query_string or parts.fragment:
        raise ValueError("must have no user, query or fragment")
    return parts


def base(url: str) -> str:
    """Check the base of paths that are asked for, and give it without a slash at its end.

    Errors: ValueError.
    """
    return str(checked(url, "http", "https")).rstrip("/")


def callback(url: str, why_https: str) -> str:
    """Check where a backend calls us, which is by https but on loopback, and give it with a slash at its end.

    The hook is mounted: without the slash it answers with a redirect, which backends do not follow.

    Errors: ValueError.
    """
    parts = checked(url, "http", "https")
    if parts.scheme != "https" and not _is_loopback(parts.host or ""):
        raise ValueError(f"must begin with https://: {why_https}")
    return f"{str(parts).rstrip('/')}/"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
