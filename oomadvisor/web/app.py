"""The pages and forms of the local server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape

from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from oomadvisor import __version__
from oomadvisor.present.html.page import render_plain
from oomadvisor.web.ask import Ask, BadAsk, Head, from_base64, whole_number
from oomadvisor.web.guard import Guard
from oomadvisor.web.pool import Busy, Failed, Limits, Pool

MOST_FIELDS = 20
LONGEST_WORD = 100


def make_app(hosts: list[str], limits: Limits) -> Starlette:
    """Return the application. ``hosts``: the values of the Host header under which it answers, ports included."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with Pool(limits) as pool:
            app.state.pool = pool
            app.state.limits = limits
            yield

    return Starlette(
        routes=[
            Route("/", entrance, methods=["GET"]),
            Route("/page", page, methods=["POST"]),
            Route("/export", export, methods=["POST"]),
            Route("/simulate", simulate, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, hosts=hosts, body_bytes=limits.body_bytes)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


async def entrance(request: Request) -> Response:
    """The page with the form."""
    megabytes = request.app.state.limits.body_bytes >> 20
    return HTMLResponse(render_plain("entrance.html", title="oomadvisor", version=__version__, megabytes=megabytes))


async def page(request: Request) -> Response:
    """The page on one incident of the log in the form."""
    return await _answered(request, "page")


async def export(request: Request) -> Response:
    """The result as a file."""
    return await _answered(request, "export")


async def simulate(request: Request) -> Response:
    """What the slider shows at one place, as JSON."""
    return await _answered(request, "simulate")


async def _answered(request: Request, what: str) -> Response:
    try:
        ask = await _ask(request, what)
    except BadAsk as error:
        return _message(what, 422, f"{error}.")
    parts = request.app.state.pool.answer(ask)
    try:
        head = await anext(parts)
    except Busy:
        return _message(what, 503, "Too many requests stand in line; try again in a minute.")
    except Failed as error:
        return _message(what, 503, str(error))
    assert isinstance(head, Head)
    if head.status != 200:
        said = b"".join([part async for part in _body(parts)]).decode()
        return _message(what, head.status, said)
    headers = {} if head.file is None else {"content-disposition": f'attachment; filename="{head.file}"'}
    return StreamingResponse(_body(parts), head.status, headers, head.media_type)


async def _body(parts: AsyncIterator[Head | bytes]) -> AsyncIterator[bytes]:
    """Yield the body. It has begun, so what goes wrong now can only be said at its end."""
    try:
        async for part in parts:
            assert isinstance(part, bytes)
            yield part
    except Failed as error:
        yield f'<p class="message" role="alert">This page is not complete. {escape(str(error))}</p>\n'.encode()


async def _ask(request: Request, what: str) -> Ask:
    limit = request.app.state.limits.body_bytes
    async with request.form(max_files=5, max_fields=MOST_FIELDS, max_part_size=limit) as form:
        return Ask(
            what=what,  # type: ignore[arg-type]
            log=await _bytes(form, "file") or await _bytes(form, "log"),
            sysctl=await _bytes(form, "sysctl"),
            proc=await _bytes(form, "proc"),
            conf=await _bytes(form, "conf") or from_base64((await _bytes(form, "conf64")).decode(), "conf64"),
            kernel=_word(form, "kernel"),
            incident=whole_number(_word(form, "incident") or "", "incident", least=1),
            form=_word(form, "form") or "html",
            operation=_word(form, "operation"),
            value=whole_number(_word(form, "value") or "", "value"),
            ratio=whole_number(_word(form, "ratio") or "", "ratio", least=1),
        )


async def _bytes(form: FormData, name: str) -> bytes:
    """Return a field as bytes, whether it was typed or is a file. A file's own name is not looked at."""
    given = form.get(name)
    if isinstance(given, UploadFile):
        content: bytes = await given.read()
        return content
    typed: str = given or ""
    return typed.encode(errors="replace")


def _word(form: FormData, name: str) -> str | None:
    given = form.get(name)
    if not isinstance(given, str) or not given.strip():
        return None
    if len(given) > LONGEST_WORD:
        raise BadAsk(f"{name}: {len(given)} characters are too many")
    return given.strip()


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _message("page", error.status_code, error.detail)


def _message(what: str, status: int, text: str) -> Response:
    """Say what went wrong, as a page, or as JSON to the slider."""
    if what == "simulate":
        return JSONResponse({"message": text}, status)
    return HTMLResponse(render_plain("message.html", title="oomadvisor", message=text), status)
