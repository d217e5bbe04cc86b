"""YAML text to a tree of plain values that know their place; a stricter YAML than PyYAML reads.

No object is ever constructed: scalars become text, whole numbers or booleans, by rules on which YAML 1.1 and 1.2
agree. Where they do not (``on``, ``010``, ``12:30``), the file is told so. The parser's events are read one by one, so
that a bomb, a deep nest or a huge scalar ends the reading instead of filling the memory.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from oomadvisor.rulebook.errors import LINE_END, Mark, Problems, Source, Spot, shown
from oomadvisor.rulebook.kinds import Scalar as ScalarValue
from oomadvisor.rulebook.yaml_traps import Trap, plain_value

FILE_MAX_BYTES = 1_000_000
SCALAR_MAX = 20_000
NODES_MAX = 50_000
DEPTH_MAX = 20

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Bad:
    """Stands where a value could not be read; the problem has been told, and nothing else is to be said about it."""


BAD = Bad()


@dataclass(slots=True)
class Scalar:
    """A value, where it begins and where it ends."""

    value: ScalarValue | Bad
    mark: Mark
    source: Source
    end: Mark


@dataclass(slots=True)
class Listing:
    """A YAML sequence."""

    items: list["Node"]
    mark: Mark
    source: Source


@dataclass(slots=True)
class Table:
    """A YAML mapping with text keys; ``keys`` holds the position of each key."""

    entries: dict[str, "Node"]
    keys: dict[str, Mark]
    mark: Mark
    source: Source


Node = Scalar | Listing | Table


def read_yaml(name: str, content: str | bytes, problems: Problems) -> Node | None:
    """Return the tree of one document, or None when the file cannot be read at all; ``problems`` is told why."""
    source = _decode(name, content, problems)
    if source is None:
        return None
    reader = _Reader(source, problems)
    try:
        return reader.read()
    except yaml.MarkedYAMLError as fault:
        problems.error(source, *_syntax_error(fault, reader.quoted))
    except yaml.YAMLError as fault:
        problems.error(source, Spot(0, 0), "yaml-syntax", f"not YAML: {shown(fault)}")
    except _Stop:
        pass
    return None


def _syntax_error(fault: yaml.MarkedYAMLError, quoted: "Scalar | None") -> tuple[Mark, str, str, str]:
    """Return where a file stops being YAML, the code, what is wrong and what to do.

    ``quoted``: the last text in quotes that goes over several lines. A quote that was not closed ends at the next one,
    and only there the parser notices.
    """
    problem = str(fault.problem or fault.context)
    mark: Mark = fault.problem_mark or fault.context_mark or Spot(0, 0)
    begin = fault.context_mark
    if quoted is not None and quoted.end.line == mark.line:
        text = f"not YAML: the text that begins here in quotes ends in line {mark.line + 1}, and more follows it there"
        return quoted.mark, "yaml-syntax", text, "close the quotes"
    if begin is not None and "quoted scalar" in str(fault.context):
        return begin, "yaml-syntax", "not YAML: the text that begins here in quotes does not end", "close the quotes"
    if begin is not None and "expected ':'" in problem:
        return begin, "yaml-syntax", "not YAML: a key without a colon", "write key: value"
    if "tab" in problem or "'\\t'" in problem or "'\t'" in problem:
        return mark, "yaml-syntax", f"not YAML: {problem}", "indent with spaces"
    hint = next((hint for words, hint in _SYNTAX_HINTS.items() if words in problem), "")
    return mark, "yaml-syntax", f"not YAML: {problem}", hint


_SYNTAX_HINTS = {
    "mapping values are not allowed": "quote a text that has a colon in it, or mend the indentation",
    "cannot start any token": "quote the text; a comparison is written {ge: 1}",
}


def is_bad(node: Node) -> bool:
    """Return whether ``node`` is a value that could not be read, about which everything has been said."""
    return isinstance(node, Scalar) and node.value is BAD


def plain_data(node: Node) -> Any:
    """Return ``node`` as dict, tuple and scalars, for validation."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return tuple(plain_data(item) for item in node.items)
    return {key: plain_data(value) for key, value in node.entries.items()}


def _decode(name: str, content: str | bytes, problems: Problems) -> Source | None:
    if len(content) > FILE_MAX_BYTES:
        text = f"{len(content)} bytes; a rule file may have {FILE_MAX_BYTES}"
        problems.error(Source(name), Spot(0, 0), "file-too-large", text, "split it by theme")
        return None
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        text.encode("utf-8")
    except UnicodeError as fault:
        before = content[: fault.start] if isinstance(fault, UnicodeDecodeError | UnicodeEncodeError) else b""
        start = before.decode("utf-8", "replace") if isinstance(before, bytes) else before
        problems.error(Source(name), _end_of(start), "not-utf8", "not UTF-8 text", "save the file as UTF-8")
        return None
    source = Source(name, text.removeprefix("\ufeff"))
    control = _CONTROL.search(source.text)
    if control is not None:
        spot = _end_of(source.text[: control.start()])
        problems.error(source, spot, "control-character", f"control character U+{ord(control[0]):04X}")
        return None
    return source


def _end_of(text: str) -> Spot:
    lines = LINE_END.split(text)
    return Spot(len(lines) - 1, len(lines[-1]))


class _Stop(Exception):
    """Reading cannot go on."""


class _Reader:
    """One pass over the parser's events."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self.source = source
        self.problems = problems
        self.events = _PARSER(source.text)
        self.quoted: Scalar | None = None  # the last text in quotes that goes over several lines

    def read(self) -> Node | None:
        source, next_event = self.source, self.events.get_event
        open_nodes: list[tuple[list[Node], Mark, bool]] = []
        children: list[Node] = []
        count = documents = 0
        in_table = False
        while True:
            event = next_event()
            kind = type(event)
            count += 1
            if count > NODES_MAX:
                self._stop(event.start_mark, "too-many-nodes", f"more than {NODES_MAX} nodes")
            if kind is yaml.ScalarEvent:
                key = in_table and len(children) % 2 == 0
                children.append(self._key(event) if key else self._scalar(event))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if kind is yaml.MappingStartEvent and event.flow_style and self._looks_like_a_text(event.start_mark):
                    told = "YAML takes {{ at the beginning of a text for a mapping"
                    self._stop(event.start_mark, "yaml-syntax", told, "quote the text, or begin it below >-")
                if len(open_nodes) >= DEPTH_MAX:
                    self._stop(event.start_mark, "too-deep", f"nested more than {DEPTH_MAX} deep")
                self._undecorated(event)
                open_nodes.append((children, event.start_mark, in_table))
                children = []
                in_table = kind is yaml.MappingStartEvent
            elif kind is yaml.MappingEndEvent:
                outer, mark, in_table = open_nodes.pop()
                outer.append(self._table(children, mark))
                children = outer
            elif kind is yaml.SequenceEndEvent:
                outer, mark, in_table = open_nodes.pop()
                outer.append(Listing(children, mark, source))
                children = outer
            elif kind is yaml.AliasEvent:
                self.problems.error(
                    source, event.start_mark, "alias", "no aliases in rule files", "write the value out again"
                )
                children.append(Scalar(BAD, event.start_mark, source, event.end_mark))
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._stop(event.start_mark, "several-documents", "a second document (---) in the file")
            elif kind is yaml.StreamEndEvent:
                return children[0] if children else None

    def _stop(self, mark: Mark, code: str, text: str, hint: str = "") -> None:
        self.problems.error(self.source, mark, code, text, hint)
        raise _Stop

    def _looks_like_a_text(self, mark: Mark) -> bool:
        line = self.source.line(mark.line + 1)
        return line.startswith("{{", mark.column) and not line.startswith("{{}", mark.column)

    def _undecorated(self, event: Any) -> bool:
        if event.anchor is not None:
            self.problems.error(
                self.source, event.start_mark, "anchor", "no anchors in rule files", f"drop &{event.anchor}"
            )
        if event.tag is not None:
            self.problems.error(
                self.source, event.start_mark, "tag", f"no tags in rule files: {shown(event.tag)}", "drop it"
            )
        return event.anchor is None and event.tag is None

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        value: ScalarValue | Bad = text
        if event.start_mark.line != event.end_mark.line and event.style in ("'", '"'):
            self.quoted = Scalar(text, event.start_mark, self.source, event.end_mark)
        if (event.anchor is not None or event.tag is not None) and not self._undecorated(event):
            value = BAD
        elif len(text) > SCALAR_MAX:
            self.problems.error(self.source, event.start_mark, "text-too-long", f"more than {SCALAR_MAX} characters")
            value = BAD
        elif event.implicit[0]:  # written without quotes
            value = self._plain(text, event.start_mark)
        elif not text.isascii() or "\0" in text:
            value = self._escaped(text, event.start_mark)
        return Scalar(value, event.start_mark, self.source, event.end_mark)

    def _key(self, event: Any) -> Scalar:
        text: str | Bad = event.value
        if not self._undecorated(event):
            text = BAD
        elif text == "<<":
            told = "no merge keys in rule files"
            self.problems.error(self.source, event.start_mark, "merge-key", told, "write the fields out again")
            text = BAD
        return Scalar(text, event.start_mark, self.source, event.end_mark)

    def _plain(self, text: str, mark: Mark) -> ScalarValue | Bad:
        value = plain_value(text)
        if isinstance(value, Trap):
            self.problems.error(self.source, mark, value.code, value.text, value.hint)
            return BAD
        return value

    def _escaped(self, text: str, mark: Mark) -> ScalarValue | Bad:
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            self.problems.error(self.source, mark, "bad-text", "NUL or half a surrogate pair in a text")
            return BAD
        return text

    def _table(self, children: list[Node], mark: Mark) -> Table:
        entries: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                self.problems.error(self.source, key.mark, "bad-key", "a key must be a plain word")
                continue
            name = key.value
            if name in entries:
                first = keys[name].line + 1
                self.problems.error(
                    self.source, key.mark, "duplicate-key", f"{shown(name)} again; it stands in line {first} already"
                )
                continue
            entries[name] = value
            keys[name] = key.mark
        return Table(entries, keys, mark, self.source)


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
