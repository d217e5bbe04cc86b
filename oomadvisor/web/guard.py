"""What stands before every request: which hosts and origins it may come from, how large it may be, what no page may do.

The local server answers only under the names it was told (else a page from elsewhere could reach it by a name that it
controls), and only to forms that come from its own pages.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oomadvisor.present.html.page import policy

HEADERS = {
    "content-security-policy": f"{policy(served=True)}; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class TooLarge(Exception):
    """The body of a request is larger than allowed."""


class Guard:
    """An ASGI application before another one."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], body_bytes: int) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in HEADERS.items()),
                ]
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["method"])
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        left = self._body_bytes

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise TooLarge
            return message

        try:
            await self._app(scope, counted, dressed)
        except TooLarge:
            await self._too_large()(scope, receive, dressed)

    def _refusal(self, headers: Headers, method: str) -> PlainTextResponse | None:
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return PlainTextResponse("This server does not answer under that name (Host).\n", 421)
        if method == "POST":
            origin = headers.get("origin")
            if origin is not None and origin.lower().partition("://")[2] != host:
                return PlainTextResponse("Forms are taken from this server's own pages only (Origin).\n", 403)
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return PlainTextResponse("Forms are taken from this server's own pages only.\n", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._body_bytes:
            return self._too_large()
        return None

    def _too_large(self) -> PlainTextResponse:
        return PlainTextResponse(f"The input is larger than the {self._body_bytes >> 20} MB that are taken.\n", 413)
