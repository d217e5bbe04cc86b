"""The forms in which a result can be taken away."""

import os

from oomadvisor.book import book_for_advice
from oomadvisor.export import bundled_conf, conf_bytes, dropin, patch, script
from oomadvisor.facts import assess
from oomadvisor.model import Advice
from oomadvisor.plan import CannotPlan, make_plan
from oomadvisor.present.html.page import Export
from oomadvisor.web.ask import FORMS, BadAsk

ON_DEVICE = ("patch", "dropin", "script")


def offered() -> tuple[Export, ...]:
    """Return the forms."""
    return tuple(Export(name, title) for name, (title, *_) in FORMS.items())


def exported(advice: Advice, form: str, conf: bytes = b"") -> bytes:
    """Return the result in ``form``, any but ``html``; ``conf``: the device's sysctl.conf.

    Raises BadAsk, InputError.
    """
    if form == "json":
        from oomadvisor.present.json import advice_json, dumps

        return dumps(advice_json(advice)).encode(errors="backslashreplace")
    if form == "markdown":
        from oomadvisor.present.markdown import advice_markdown

        return advice_markdown(advice).encode(errors="backslashreplace")
    if form in ON_DEVICE:
        return _for_device(advice, form, conf)
    raise BadAsk(f"there is no such form; there are {', '.join(one.name for one in offered())}")


def _for_device(advice: Advice, form: str, conf: bytes) -> bytes:
    """Return what makes the proved fixes on the device.

    A patch is for the sysctl.conf that was given, else for the one that a bundle holds, else it makes a new one.
    """
    (one,) = advice.incidents
    try:
        plan = make_plan(assess(one.state), one, book_for_advice((), os.environ))
    except CannotPlan as error:
        raise BadAsk(str(error)) from None
    if form == "patch":
        found = bundled_conf(one.state)
        return patch(plan, conf or (None if found is None else conf_bytes(found)), "sysctl.conf")
    return dropin(plan) if form == "dropin" else script(plan)
