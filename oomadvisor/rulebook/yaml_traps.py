"""What a plain (unquoted) YAML scalar means here, and the spellings that YAML readers disagree about."""

import re
from dataclasses import dataclass

from oomadvisor.rulebook.errors import shown
from oomadvisor.rulebook.kinds import Scalar


@dataclass(frozen=True, slots=True)
class Trap:
    """A spelling that is refused: code, what is wrong with it, and what to write instead."""

    code: str
    text: str
    hint: str


def plain_value(text: str) -> Scalar | Trap:
    """Return the value of a plain scalar: ``true``, ``false``, a decimal whole number or the text itself."""
    known = _WORDS.get(text)
    if known is not None:
        return known
    if text and text[0] not in _ODD_START and text not in _TRAP_WORDS:
        return text
    if _INT.fullmatch(text):
        if len(text) <= 20:
            return int(text)
        return Trap("number-too-large", "a number of more than 20 digits", "numbers are limited to ±(2**63 - 1)")
    for form, code, told, instead in _TRAPS:
        if form.fullmatch(text):
            quoted = f' (or "{text[:40]}" in quotes if it is text)' if "quotes" not in instead and text else ""
            return Trap(code, told.format(shown(text)), instead.format(text[:40]) + quoted)
    return text


_WORDS: dict[str, Scalar] = {"true": True, "false": False}
_TRAP_WORDS = frozenset(
    spelled
    for word in ("yes", "no", "on", "off", "null", "true", "false")
    for spelled in (word, word.capitalize(), word.upper())
)
_ODD_START = frozenset("0123456789+-.~=")
_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = "YAML readers disagree whether {} is a number, and which"
_TRAPS = tuple(
    (re.compile(form), code, told, instead)
    for form, code, told, instead in (
        (r"~|(?i:null)|", "null", "no value", "leave the field out, or give it a value"),
        (r"(?i:yes|on|true)", "yaml-trap", "YAML readers disagree whether {} is true or a text", "write true"),
        (r"(?i:no|off|false)", "yaml-trap", "YAML readers disagree whether {} is false or a text", "write false"),
        (r"[-+]?0[0-9_]+", "yaml-trap", _NUMBER, "write it without the leading zero"),
        (r"[-+]?0[xXoObB][0-9a-fA-F_]+", "yaml-trap", _NUMBER, "write it in decimal"),
        (r"[-+]?[0-9]+_[0-9_]*", "yaml-trap", _NUMBER, "write it without _"),
        (r"\+[0-9]+", "yaml-trap", _NUMBER, "write it without +"),
        (r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?", "yaml-trap", "YAML 1.1 reads {} in base 60", "write one number"),
        (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", "yaml-trap", "YAML 1.1 reads {} as a date", 'in quotes: "{}"'),
        (r"=", "yaml-trap", "YAML 1.1 gives {} a meaning of its own", 'in quotes: "{}"'),
        (
            r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(?i:inf|nan)",
            "float",
            "no fractions in rules: {}",
            "write a whole number, permille instead of a ratio",
        ),
    )
)
