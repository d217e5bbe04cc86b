"""The script that collects the state of a device into one text, filled in with what the user wants of it."""

from pathlib import Path

TEMPLATE = Path(__file__).parent / "collect.sh"
MOST_EXECS = 6
"""head, dmesg twice, df, sleep, zcat."""


def collect_script(*, pause_seconds: int = 10, redact: bool = True) -> str:
    """Return the script: POSIX sh in ASCII. ``pause_seconds`` lie between the two readings of /proc/vmstat; 0 makes it
    one reading. ``redact`` leaves out what may name the device or its owner: arguments of processes, some words of the
    kernel's command line, hardware addresses.
    """
    values = {"@PAUSE@": str(pause_seconds), "@REDACT@": "1" if redact else "0", "@EXECS@": str(MOST_EXECS)}
    text = TEMPLATE.read_text(encoding="ascii")
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text
