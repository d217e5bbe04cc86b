"""Where a parser of a /proc file writes down what was odd."""

from dataclasses import dataclass, field

from oomadvisor.model import Origin, Warning_

MAX_NOTES = 200

NumberedLine = tuple[int, str]


@dataclass
class Notes:
    """Warnings about one input file."""

    file: str
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, code: str, text: str, line: int) -> None:
        """Remember a warning, up to a limit."""
        if len(self.warnings) < MAX_NOTES:
            self.warnings.append(Warning_(code=code, text=text, origin=Origin(file=self.file, line=line)))

    def unreadable(self, line: NumberedLine, expected: str) -> None:
        """Remember a line that is not what stands in such a file."""
        self.warn("unreadable-line", f"{line[1].strip()[:60]!r} was left out; expected {expected}.", line[0])
