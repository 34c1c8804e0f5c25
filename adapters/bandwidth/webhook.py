"""The hook at which Bandwidth calls us: who may call, and what was told that waits to be taken."""

import base64
import binascii
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from yarl import URL

from adapters.kit.hook import TooLargeError, Waiting, body_sent, is_secret
from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, decoded, shaped

_USER = "gateway"
_ASKED_WHO = {"WWW-Authenticate": 'Basic realm="conference gateway", charset="UTF-8"'}


class Hook(Waiting[Mapping[str, object]]):
    """Takes callbacks and gives them in the order they came.

    Bandwidth signs nothing: whoever has the secret in the address is believed. It is asked for like any password, since
    some senders show what the address holds only then.

    Errors: LinkDown out of the iterator.
    """

    def __init__(self, complaints: Complaints) -> None:
        super().__init__("Bandwidth")
        self._complaints = complaints
        self._secret: str | None = None

    def expect(self, secret: str) -> None:
        """Begin again for a new feed; callbacks with this secret are taken from now on."""
        self._secret = secret
        self.begin()

    def route(self) -> Route:
        """Make the route, to be mounted at the path of `callback_url`."""
        return Route("/", self._called, methods=["GET", "POST"])

    async def _called(self, request: Request) -> Response:
        """Answer at once, before anything is done with what is said: Bandwidth waits for 10 s at most."""
        if self._secret is None or not is_secret(_password(request), self._secret):
            if "Authorization" in request.headers:
                self._complaints.add(NotUnderstoodError("a callback with a wrong secret"))
            return Response(status_code=401, headers=_ASKED_WHO)
        try:
            self.add(await _told(request))
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLargeError:
            return Response(status_code=413)
        except NotUnderstoodError as error:
            self._complaints.add(error)
        return Response()


def address(callback_url: str, secret: str) -> str:
    """Write the address that Bandwidth is told to call: who calls it shows the secret that is in it."""
    return str(URL(callback_url).with_user(_USER).with_password(secret))


def is_ours(url: str, callback_url: str, secret: str) -> bool:
    """Whether an address was once given by us: it has our secret, or leads here with another that we had."""
    try:
        parts = URL(url)
        return is_secret(parts.password or "", secret) or str(parts.with_user(None)) == callback_url
    except ValueError:
        return False


def _password(request: Request) -> str:
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        user_and_password = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user_and_password.partition(":")[2]


async def _told(request: Request) -> Mapping[str, object]:
    """Read a callback: JSON in the body, or with `callbackHttpMethod` GET the same names in the query.

    Errors: NotUnderstoodError, TooLargeError, starlette.requests.ClientDisconnect.
    """
    if request.method == "GET":
        return dict(request.query_params)
    return shaped(decoded(await body_sent(request), "callback"), JsonObject, "callback")
