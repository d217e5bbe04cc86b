"""What can be wrong with an input, as exceptions.

    ParseError
    └── InputError    the input cannot be used: missing, unreadable, a folder, binary, or nothing in it was understood

Oddities inside a usable input are no exceptions: they become `Warning_` values beside what was read.
"""


class ParseError(Exception):
    """The root of everything that this package raises."""


class InputError(ParseError):
    """An input cannot be used. Says where, what stood there, and what was expected.

    ``file`` is the name as the user gave it (``-`` = standard input); ``line`` and ``column`` count from 1 and are
    ``None`` when the trouble is not at a place inside the text.
    """

    def __init__(
        self,
        file: str,
        text: str,
        *,
        line: int | None = None,
        column: int | None = None,
        expected: str | None = None,
    ) -> None:
        self.file = file
        self.text = text
        self.line = line
        self.column = column
        self.expected = expected
        super().__init__(str(self))

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        wanted = f"; expected {self.expected}" if self.expected else ""
        return f"{place}: {self.text}{wanted}"

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the message only, so the error could not cross a process boundary.
        return _rebuild, (self.file, self.text, self.line, self.column, self.expected)


def _rebuild(file: str, text: str, line: int | None, column: int | None, expected: str | None) -> InputError:
    return InputError(file, text, line=line, column=column, expected=expected)
