"""The forms in which a result can be taken away."""

from importlib import import_module
from importlib.util import find_spec

from oomadvisor.book import load_book
from oomadvisor.facts import assess
from oomadvisor.model import Advice
from oomadvisor.present.html.page import Export
from oomadvisor.web.ask import FORMS, BadAsk

ON_DEVICE = ("patch", "dropin", "script")


def offered() -> tuple[Export, ...]:
    """Return the forms that this installation can make."""
    return tuple(Export(name, title) for name, (title, *_) in FORMS.items() if name not in ON_DEVICE or _can_plan())


def exported(advice: Advice, form: str) -> bytes:
    """Return the result in ``form``, any but ``html``. Raises BadAsk."""
    if form == "json":
        from oomadvisor.present.json import advice_json, dumps

        return dumps(advice_json(advice)).encode(errors="backslashreplace")
    if form == "markdown":
        from oomadvisor.present.markdown import advice_markdown

        return advice_markdown(advice).encode(errors="backslashreplace")
    if form in ON_DEVICE and _can_plan():
        return _for_device(advice, form)
    raise BadAsk(f"there is no such form; there are {', '.join(one.name for one in offered())}")


def _can_plan() -> bool:
    return all(find_spec(f"oomadvisor.{room}") is not None for room in ("plan", "export"))


def _for_device(advice: Advice, form: str) -> bytes:
    """Return what makes the proved fixes on the device; a patch is for a new sysctl.conf."""
    plan, export = import_module("oomadvisor.plan"), import_module("oomadvisor.export")
    (one,) = advice.incidents
    try:
        planned = plan.make_plan(assess(one.state), one, load_book(()))
    except plan.CannotPlan as error:
        raise BadAsk(str(error)) from None
    written: bytes = export.patch(planned, None, "sysctl.conf") if form == "patch" else getattr(export, form)(planned)
    return written
