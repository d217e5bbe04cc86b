"""What a file says about its settings, in ASCII: old devices, serial lines and tools of any age must read it."""

import unicodedata
from collections.abc import Iterator
from textwrap import wrap

from oomadvisor.model import Verification
from oomadvisor.model.plan import Plan, Setting, Step
from oomadvisor.present.numbers import children_words, measured_words

_PLAIN = {"–": "-", "—": "-", "−": "-", "×": "x", "→": "->", "≤": "<=", "≥": ">=", "…": "...", "·": "-", "≈": "~"}
_PLAIN |= dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'")
HARMFUL = "WARNING: the replay calls this HARMFUL. It is here because it was picked by name, with --force."
WIDTH_COLUMNS = 100
"""Sysctl of procps 3.2 reads 255 bytes of a line and takes the rest for another one, so comments must be short."""


def ascii_words(text: str) -> str:
    """Return ``text`` in one line of printable ASCII: it comes from rules and from names of tasks, so from anywhere.

    >>> ascii_words("4160–4167 → 2039\\n× é\\x1b")
    '4160-4167 -> 2039 x e?'
    """
    words = " ".join("".join(_PLAIN.get(char, char) for char in text).split())
    plain = "".join(
        char if char.isascii() else unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode() or "?"
        for char in words
    )
    return "".join(char if char.isprintable() else "?" for char in plain)


def comments(text: str) -> list[str]:
    """Return ``text`` as lines of at most WIDTH_COLUMNS, each of ASCII; those after the first are indented."""
    return wrap(ascii_words(text), WIDTH_COLUMNS, subsequent_indent="    ", break_on_hyphens=False)


def about_lines(plan: Plan) -> Iterator[str]:
    """Yield what the plan is for."""
    yield from comments(plan.about)
    known = bool(plan.kernel.version)
    yield from comments(f"For Linux {plan.kernel.text}." if known else "The report does not tell the kernel.")
    if plan.written is not None:
        yield from comments(f"All settings together: {_class_words(plan.written)}")
        for effect in plan.written.side_effects:
            yield from comments(f"Price: {effect}")
    if plan.forced:
        yield from comments(HARMFUL)


def setting_lines(plan: Plan, setting: Setting) -> Iterator[str]:
    """Yield old value, new value, why, and how that was proved."""
    step = step_of(plan, setting)
    yield from comments(f"{setting.name}: {setting.before or 'not known'} -> {setting.value}: {step.title}")
    yield from comments(f"{step.class_.upper()}: {step.why}")
    if step.class_ == "harmful":
        yield from comments(HARMFUL)
    for one in step.measured:
        if one.applies:
            yield from comments(f"measured: {measured_words(one)}")


def hand_lines(plan: Plan) -> Iterator[str]:
    """Yield what no file of settings can do: a line for each fix that a person must make, with its commands."""
    for step in plan.steps:
        if step.by_hand:
            yield from comments(f"by hand: {step.title} [{step.class_.upper()}] ({step.id})")
            for command in step.by_hand:
                yield from (f"    {line}" for line in comments(command))
    for setting in plan.once:
        yield from comments(f"once, by hand: echo {setting.value} > /proc/sys/{setting.path} ({setting.fix})")


def left_lines(plan: Plan) -> Iterator[str]:
    """Yield what the plan leaves out, each with the reason."""
    for one in plan.left_out:
        yield from comments(f"not taken: {one.id}: {one.reason}")


def restored_lines(setting: Setting) -> Iterator[str]:
    """Yield what a rollback says about a setting."""
    before = setting.before or "not known"
    same = " (all of them have the same effect)" if setting.restore not in (None, setting.before) else ""
    yield from comments(f"{setting.name}: {setting.value} -> {before}{same}, as the report has it")


def step_of(plan: Plan, setting: Setting) -> Step:
    """Return the step that a setting belongs to."""
    return next(step for step in plan.steps if setting in step.settings)


def _class_words(verification: Verification) -> str:
    return f"{verification.class_.upper()}: {verification.why}. {children_words(verification)}"
