"""What the exit status of ``oomadvisor`` says; docs/exit-codes.md is the same table for people."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses. ``phrase`` says in a few words what happened."""

    phrase: str

    def __new__(cls, value: int, phrase: str) -> "ExitCode":
        member = int.__new__(cls, value)
        member._value_ = value
        member.phrase = phrase
        return member

    # What the user asked for, and what they gave
    DONE = 0, "the result was written"
    NO_INCIDENT = 1, "no incident was found in the input"
    USAGE = 2, "wrong usage"
    UNUSABLE = 3, "an input, rule or sysctl file is unusable"

    # What verify found
    NOT_PASSING = 4, "the advised values are in force, and the operation does not pass"
    NOT_IN_FORCE = 5, "an advised value is not in force"
    UNDECIDED = 6, "the later report does not tell"

    # sysexits.h
    INTERNAL = 70, "a defect of oomadvisor"
    NOT_WRITTEN = 74, "the result could not be written"
    BROKEN_OFF = 75, "a run over many logs broke off; it can be gone on with"

    # 128 + the number of the signal, as a shell reports it
    INTERRUPTED = 130, "interrupted from the keyboard"
    PIPE_CLOSED = 141, "the reader of standard output went away"
