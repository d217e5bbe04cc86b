"""What a file says about its settings, in ASCII: old devices, serial lines and tools of any age must read it."""

import unicodedata
from collections.abc import Iterator

from oomadvisor.model import Verification
from oomadvisor.model.plan import Plan, Setting, Step
from oomadvisor.present.numbers import children_words, measured_words

_PLAIN = {"–": "-", "—": "-", "−": "-", "×": "x", "→": "->", "≤": "<=", "≥": ">=", "…": "...", "·": "-", "≈": "~"}
_PLAIN |= dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'")
MAX_COMMENT = 300


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
    plain = "".join(char if char.isprintable() else "?" for char in plain)
    return plain if len(plain) <= MAX_COMMENT else f"{plain[: MAX_COMMENT - 3]}..."


def about_lines(plan: Plan) -> Iterator[str]:
    """Yield what the plan is for."""
    yield ascii_words(plan.about)
    yield ascii_words(
        f"For Linux {plan.kernel.text}." if plan.kernel.version else "The report does not tell the kernel."
    )
    if plan.written is not None:
        yield ascii_words(f"All settings together: {_class_words(plan.written)}")
        yield from (ascii_words(f"Price: {effect}") for effect in plan.written.side_effects)
    if plan.forced:
        yield "WARNING: this was called HARMFUL and is here because it was picked by name with --force."


def setting_lines(plan: Plan, setting: Setting) -> Iterator[str]:
    """Yield old value, new value, why, and how that was proved."""
    step = step_of(plan, setting)
    yield ascii_words(f"{setting.name}: {setting.before or 'not known'} -> {setting.value}: {step.title}")
    yield ascii_words(f"{step.class_.upper()}: {step.why}")
    yield from (ascii_words(f"measured: {measured_words(one)}") for one in step.measured if one.applies)


def hand_lines(plan: Plan) -> Iterator[str]:
    """Yield what no file of settings can do: a line for each fix that a person must make, with its commands."""
    for step in plan.steps:
        if step.by_hand:
            yield ascii_words(f"by hand: {step.title} [{step.class_.upper()}] ({step.id})")
            yield from (f"    {ascii_words(command)}" for command in step.by_hand)
    for setting in plan.once:
        yield ascii_words(f"once, by hand: echo {setting.value} > /proc/sys/{setting.path} ({setting.fix})")


def left_lines(plan: Plan) -> Iterator[str]:
    """Yield what the plan leaves out, each with the reason."""
    yield from (ascii_words(f"not taken: {one.id}: {one.reason}") for one in plan.left_out)


def restored_lines(setting: Setting) -> Iterator[str]:
    """Yield what a rollback says about a setting."""
    before = setting.before or "not known"
    same = " (all of them have the same effect)" if setting.restore not in (None, setting.before) else ""
    yield ascii_words(f"{setting.name}: {setting.value} -> {before}{same}, as the report has it")


def step_of(plan: Plan, setting: Setting) -> Step:
    """Return the step that a setting belongs to."""
    return next(step for step in plan.steps if setting in step.settings)


def _class_words(verification: Verification) -> str:
    return f"{verification.class_.upper()}: {verification.why}. {children_words(verification)}"
