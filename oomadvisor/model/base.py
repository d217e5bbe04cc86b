"""The ground of all values: frozen, closed records; where a value came from; what was odd about the input."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value. Fields cannot be set after construction, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(Frozen):
    """A place in an input: ``file`` as the user named it (``-`` for standard input), ``line`` counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Warning_(Frozen):
    """Something about the input that the reader must know: arithmetic that does not add up, a missing part, a repair.

    ``code`` is a stable kebab-case name, ``text`` one sentence with both numbers where two numbers disagree.
    """

    code: str
    text: str
    origin: Origin | None = None
