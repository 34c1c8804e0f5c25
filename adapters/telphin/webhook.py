"""The hook at which Telphin calls us: who may call, and the events that wait to be taken."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.kit.hook import TooLargeError, Waiting, body_sent, is_secret
from adapters.kit.understanding import Complaints, NotUnderstoodError

_LARGEST_BODY_BYTES = 16 * 1024
_MOST_FIELDS = 100
_SECRET = re.compile(r"[0-9A-Za-z_-]{32,128}")


class Arrived(NamedTuple):
    """The fields of an event, and when they came."""

    fields: Mapping[str, str]
    at: datetime


class Hook(Waiting[Arrived]):
    """Takes events and gives them in the order they came, those that came between two feeds too.

    Telphin signs nothing: whoever knows the last word of the path is believed, and anybody else finds nothing here.

    Errors: LinkDown out of the iterator.
    """

    def __init__(self, complaints: Complaints) -> None:
        super().__init__("Telphin")
        self._complaints = complaints
        self._secret: str | None = None

    def expect(self, secret: str) -> None:
        """Take calls with this secret from now on; what waits already is kept, unless some of it was lost."""
        self._secret = secret
        if self._end is not None:
            self.begin()

    def route(self) -> Route:
        """Make the route, to be mounted at the path of `webhook_url`."""
        return Route("/{secret}", self._called, methods=["GET", "POST"])

    async def _called(self, request: Request) -> Response:
        """Answer at once, before anything is done with what is said: how long Telphin waits is not documented."""
        if self._secret is None or not is_secret(request.path_params["secret"], self._secret):
            self._complaints.add(NotUnderstoodError("an event for an address with another secret"))
            return Response(status_code=404)
        try:
            if request.method != "HEAD":
                self.add(Arrived(await _sent(request), datetime.now(UTC)))
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLargeError:
            self._complaints.add(NotUnderstoodError("an event that is too large"))
            return Response(status_code=413)
        except NotUnderstoodError as error:
            self._complaints.add(error)
        return Response()


def address(webhook_url: str, secret: str) -> str:
    """Write the address that Telphin is told to call."""
    return f"{webhook_url}{secret}"


def is_shaped_as_secret(word: str) -> bool:
    """Whether a word looks like a secret that we make."""
    return _SECRET.fullmatch(word) is not None


def is_ours(url: str, webhook_urls: Iterable[str], secret: str) -> bool:
    """Whether an address is one that we told Telphin: at one of ours, with our secret or one that we had before."""
    words = (url.removeprefix(each) for each in webhook_urls if url.startswith(each))
    return any(word == secret or is_shaped_as_secret(word) for word in words)


async def _sent(request: Request) -> Mapping[str, str]:
    """Read the fields of an event: of a form, or with GET of the query.

    Errors: NotUnderstoodError, TooLargeError, starlette.requests.ClientDisconnect.
    """
    raw = request.url.query.encode() if request.method == "GET" else await body_sent(request, _LARGEST_BODY_BYTES)
    try:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise NotUnderstoodError("event: with more fields than any has") from None
