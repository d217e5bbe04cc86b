"""One request, from its text to the answer. Runs in a worker process; knows nothing of HTTP but the status."""

import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from oomadvisor import __version__
from oomadvisor.advise import advise
from oomadvisor.book import book_for_advice, engine_for
from oomadvisor.facts import assess
from oomadvisor.model import Advice
from oomadvisor.parse import InputError
from oomadvisor.present.charts import Moment
from oomadvisor.present.html.listing import wanted_lines
from oomadvisor.present.html.page import Served, page_parts, render_page
from oomadvisor.present.html.slider import answer_at
from oomadvisor.present.json import dumps
from oomadvisor.rulebook import engine_name
from oomadvisor.rulebook.book import RuleBook
from oomadvisor.rulebook.engine import Engine
from oomadvisor.trial import UnknownOperation
from oomadvisor.web.ask import FORMS, Ask, BadAsk, Head
from oomadvisor.web.exports import exported, offered
from oomadvisor.web.inputs import Read, folder_with, kept_log, lines_of, read

CHUNK_CHARACTERS = 4096
PAGE, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"

Part = Head | bytes


def answer(ask: Ask) -> Iterator[Part]:
    """Yield the head of the answer, then its body. What cannot be answered is a head with a status and a message."""
    try:
        with folder_with(ask):
            yield from {"page": _page, "export": _export, "simulate": _simulate}[ask.what](ask)
    except InputError as error:
        yield from _refused(422, str(error))
    except (BadAsk, UnknownOperation) as error:
        yield from _refused(422, f"{error}.")
    except MemoryError:
        yield from _refused(413, "This input needs more memory than a request may take.")


def _refused(status: int, message: str) -> Iterator[Part]:
    yield Head(status, TEXT)
    yield message.encode(errors="backslashreplace")


def _page(ask: Ask) -> Iterator[Part]:
    """Yield the page in pieces as they come: the first screen does not wait for the pictures."""
    known = read(ask)
    advice = _advice(known)
    served = Served(
        fields=tuple(_fields(ask, known)),
        exports=offered(),
        export_to="export",
        simulate="simulate",
        incidents=tuple((m.number, _words(m)) for m in known.moments) if known.found > 1 else (),
        show="page",
    )
    yield Head(200, PAGE)
    waiting: list[str] = []
    size = 0
    for part in page_parts(advice, _lines(advice), known.moments, served=served):
        waiting.append(part)
        size += len(part)
        if size >= CHUNK_CHARACTERS:
            yield "".join(waiting).encode(errors="backslashreplace")
            waiting, size = [], 0
    yield "".join(waiting).encode(errors="backslashreplace")


def _export(ask: Ask) -> Iterator[Part]:
    if ask.form not in FORMS:
        raise BadAsk(f"there is no such form; there are {', '.join(one.name for one in offered())}")
    _, media_type, file = FORMS[ask.form]
    known = read(ask)
    advice = _advice(known)
    if ask.form == "html":
        body = render_page(advice, _lines(advice), known.moments).encode(errors="backslashreplace")
    else:
        body = exported(advice, ask.form, ask.conf)
    yield Head(200, media_type, file)
    yield body


def _simulate(ask: Ask) -> Iterator[Part]:
    """Yield what the slider shows at one place, asked of the simulator."""
    if ask.value is None:
        raise BadAsk("value: a number was expected")
    said = answer_at(assess(read(ask).state), ask.operation, ask.value, ask.ratio)
    if said is None:
        raise BadAsk("nothing can be replayed on this report")
    yield Head(200, JSON)
    yield dumps(said).encode()


def _advice(known: Read) -> Advice:
    book, engine = _expert()
    return Advice(
        incidents=(advise(known.state, book, engine=engine),),
        incidents_found=known.found,
        engine=engine_name(),
        version=__version__,
    )


@cache
def _expert() -> tuple[RuleBook, Engine]:
    """Return the user's rules and their engine, once for all requests of this process."""
    book = book_for_advice((), os.environ)
    return book, engine_for(book)


def _lines(advice: Advice) -> dict[str, dict[int, str]]:
    found = {}
    for file, wanted in wanted_lines(advice.incidents[0]).items():
        with suppress(InputError):  # one that cannot be read shows no lines
            found[file] = lines_of(file, wanted)
    return found


def _fields(ask: Ask, known: Read) -> Iterator[tuple[str, str]]:
    yield "log", kept_log(ask, known.ranges)
    for name, data in (("sysctl", ask.sysctl), ("proc", ask.proc)):
        yield name, data.decode("utf-8", "replace")
    yield "conf64", b64encode(ask.conf).decode()
    yield "kernel", ask.kernel or ""
    yield "incident", str(known.state.incident.number)


def _words(moment: Moment) -> str:
    values: list[Any] = [f"line {moment.line}", moment.time, moment.kind, moment.comm]
    values.append(None if moment.order is None else f"order {moment.order}")
    return f"{moment.number}: " + ", ".join(str(value) for value in values if value is not None)
