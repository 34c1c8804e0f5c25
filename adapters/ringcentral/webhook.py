"""The hook at which RingCentral calls us: its handshake, who may call, and the notifications that wait to be taken."""

import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.kit.hook import TooLargeError, Waiting, body_sent, is_secret
from adapters.kit.understanding import Complaints, JsonObject, NotUnderstoodError, decoded, shaped

_FIT_TO_ECHO = re.compile(r"[!-~]{1,512}")
"""A longer one would not fit into the 1024 bytes that our answer may have."""


class Hook(Waiting[JsonObject]):
    """Takes notifications and gives them in the order they came; RingCentral's sequence says the order they have.

    A caller without the token of the subscription learns nothing, not even whether there is a hook.

    Errors: LinkDown out of the iterator.
    """

    def __init__(self, verification_token: str, complaints: Complaints | None = None) -> None:
        super().__init__("RingCentral")
        self.complaints = complaints or Complaints("RingCentral")
        self.strangers = 0
        self._token: str | None = verification_token

    def expect(self, verification_token: str | None) -> None:
        """Begin again for a new subscription, whose token alone is taken from now on; None: expect nobody."""
        self._token = verification_token
        self.begin()

    def route(self) -> Route:
        """Make the route, to be mounted at the path of `webhook_url`."""
        return Route("/", self._called, methods=["POST"])

    async def _called(self, request: Request) -> Response:
        """Answer RingCentral at once, before anything is done with what it says: it waits for 3 s at most."""
        if self._token is None:
            return Response(status_code=404)
        echo = _echo(request)
        if echo and "Verification-Token" not in request.headers:
            return Response(headers=echo, media_type="application/json")
        if (refusal := self._stranger(request, self._token)) is not None:
            return refusal
        try:
            body = await body_sent(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLargeError:
            return Response(status_code=413)
        if body or not echo:
            self._take(body)
        return Response(headers=echo, media_type="application/json")

    def _stranger(self, request: Request, expected: str) -> Response | None:
        """See who calls: nobody without a token finds anything here, and one with another is turned away."""
        given = request.headers.get("Verification-Token")
        if given is not None and is_secret(given, expected):
            return None
        self.strangers += 1
        if given is None:
            return Response(status_code=404)
        self.complaints.add(NotUnderstoodError("a notification with the token of another subscription"))
        return Response(status_code=401)

    def _take(self, body: bytes) -> None:
        """Keep a notification; one that is not understood is answered like any other, or RingCentral gives us up."""
        try:
            self.add(shaped(decoded(body, "notification"), JsonObject, "notification"))
        except NotUnderstoodError as error:
            self.complaints.add(error)


def _echo(request: Request) -> dict[str, str]:
    """Write the header that a handshake is answered with, if this is one."""
    token = request.headers.get("Validation-Token", "")
    return {"Validation-Token": token} if _FIT_TO_ECHO.fullmatch(token) else {}
