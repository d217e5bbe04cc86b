"""Labels of an input, taken from its path by a pattern.

A pattern looks like the end of a path: ``{site}/{firmware}/box-{serial}.log``. ``{name}`` takes what stands in its
place, ``*`` stands for anything, and neither goes beyond a ``/``. It is matched from left to right without ever going
back, so no pattern and no path can make it slow.

::

    LabelError    a pattern that cannot be used
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}|(\*)|([{}])")


class LabelError(ValueError):
    """A pattern that cannot be used. The text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class LabelPattern:
    """A pattern, taken apart: for each part of the path the literal texts, and between them the names to take.

    ``None`` for a name is a ``*``. There is always one literal text more than there are names.
    """

    text: str
    parts: tuple[tuple[tuple[str, ...], tuple[str | None, ...]], ...]

    def labels_of(self, path: str) -> dict[str, str]:
        """Return the labels of ``path``, none where the pattern does not fit its end.

        >>> label_pattern("{site}/box-{serial}.log*").labels_of("logs/north/box-17.log.gz")
        {'site': 'north', 'serial': '17'}
        """
        words = path.split("/")[-len(self.parts) :]
        if len(words) < len(self.parts):
            return {}
        found: dict[str, str] = {}
        for word, (texts, names) in zip(words, self.parts, strict=True):
            values = _between(word, texts)
            if values is None:
                return {}
            found |= {name: value for name, value in zip(names, values, strict=True) if name is not None}
        return found


def label_pattern(text: str) -> LabelPattern:
    """Return the pattern that ``text`` writes. Raises LabelError."""
    if not text or text.endswith("/") or "//" in text:
        raise LabelError("a part of the path between two / is empty")
    parts, known = [], set[str]()
    for word in text.lstrip("/").split("/"):
        texts, names, end = [], list[str | None](), 0
        for match in _TOKEN.finditer(word):
            name, star, brace = match.groups()
            if brace:
                raise LabelError(f"'{brace}' stands alone; a label is written as in {{firmware}}")
            if names and match.start() == end:
                raise LabelError(f"'{match.group()}' follows another one at once; where one ends could not be told")
            if name in known:
                raise LabelError(f"the label '{name}' stands in it twice")
            known |= {name} if name else set()
            texts.append(word[end : match.start()])
            names.append(None if star else name)
            end = match.end()
        parts.append(((*texts, word[end:]), tuple(names)))
    if not known:
        raise LabelError("it names no label; one is written as in {firmware}")
    return LabelPattern(text, tuple(parts))


def _between(word: str, texts: tuple[str, ...]) -> list[str] | None:
    """Return what stands between the texts in ``word``, each found as early as possible, the last one at the end."""
    first, *middle = texts
    if not word.startswith(first):
        return None
    if not middle:
        return [] if word == first else None
    at, values = len(first), []
    for text in middle[:-1]:
        place = word.find(text, at)
        if place < 0:
            return None
        values.append(word[at:place])
        at = place + len(text)
    end = len(word) - len(middle[-1])
    if end < at or not word.endswith(middle[-1]):
        return None
    return [*values, word[at:end]]
