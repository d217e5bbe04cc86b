"""``oomadvisor serve``: a local page to paste a log into."""

import os
import socket
from typing import Annotated

import typer

from oomadvisor.cli.extras import SERVE, need
from oomadvisor.cli.output import to_stderr, write_result
from oomadvisor.present.printable import printable

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def serve(
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="The address to listen on. Others than this machine need --name."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="The port; 0 takes a free one.")
    ] = 8631,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="HOST",
            help="Answer under this name too (the Host header), as in oom.example or oom.example:8631. It can be given "
            "several times.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=64,
            metavar="N",
            help="Processes that do the work. Without it: as many as there are processors, 2 to 8.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=600, metavar="N", help="What a request may take.")
    ] = 20,
    max_mb: Annotated[
        int, typer.Option("--max-mb", min=1, max=1024, metavar="N", help="How large an input may be.")
    ] = 16,
) -> None:
    """Serve a local page: paste a log or drop a file, and the page of 'advise --format html' comes back.

    Its slider asks the simulator, and its buttons save the result. Nothing is kept on disk or between two requests.
    Ctrl-C ends it.
    """
    need(SERVE, "serve")
    import uvicorn

    from oomadvisor.web.app import make_app
    from oomadvisor.web.pool import Limits

    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise typer.BadParameter(
            f"{printable(host)}, port {port}, cannot be listened on: {reason}.", param_hint="--host"
        ) from None
    with listening:
        bound = listening.getsockname()[1]
        limits = Limits(
            body_bytes=max_mb << 20,
            seconds=float(seconds),
            workers=workers or min(max(os.cpu_count() or 2, 2), 8),
        )
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            make_app(_hosts(shown, bound, names or []), limits),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        write_result(f"Serving on http://{shown}:{bound}/ - Ctrl-C ends it.\n")
        if host not in LOOPBACK and not names:
            to_stderr(f"It answers only under {shown}:{bound}; add --name for other names of this machine.")
        uvicorn.Server(config).run(sockets=[listening])


def _hosts(host: str, port: int, names: list[str]) -> list[str]:
    """Return the values of the Host header under which the server answers."""
    found = [f"{name}:{port}" for name in (host, *LOOPBACK)]
    for name in names:
        found += [name] if ":" in name.rpartition("]")[2] else [name, f"{name}:{port}"]
    return [*found, *(name.removesuffix(":80") for name in found if name.endswith(":80"))]
