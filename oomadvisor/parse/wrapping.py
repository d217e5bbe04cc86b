"""What a log collector makes of a record: JSON around it, escapes in it, HTML of it.

A record of the kernel can hold line ends (the global counters are one record of several lines). Collectors that keep
one record in one line escape them, and here they become lines again.
"""

import json
import re
from html import unescape

from oomadvisor.parse.lineform import compiled

#: Where collectors keep the text of a record: Docker, Kubernetes, journald, Logstash, Loki.
_TEXT_KEYS = ("log", "MESSAGE", "message", "msg", "line")
_TIME_KEYS = ("time", "@timestamp", "timestamp", "__REALTIME_TIMESTAMP", "ts")
_NO_CONTROL = r"#0(?:12|15|11)|\\x0[ad9]"
_CONTROL = {"#012": "\n", "#015": "\n", "#011": "\t", "\\x0a": "\n", "\\x0d": "\n", "\\x09": "\t"}
_ENTITY = r"&(?:lt|gt|amp|quot|nbsp|#\d{2,4}|#x[0-9a-fA-F]{2,4});"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]{0,10}(?:Z|[+-]\d\d:?\d\d)"
_MAX_DEPTH = 3


def unwrapped(text: str) -> list[str] | None:
    """Return the lines that ``text`` stands for, or ``None`` where it is just a line.

    >>> unwrapped('{"log":"Mem-info:\\\\n","stream":"stdout"}'), unwrapped("a:1#012 b:2"), unwrapped("Mem-info:")
    (['Mem-info:'], ['a:1', ' b:2'], None)
    """
    changed = False
    for _ in range(_MAX_DEPTH):
        inner = _from_json(text)
        if inner is None:
            break
        text, changed = inner, True
    if "&" in text and compiled(_ENTITY).search(text):
        text, changed = unescape(text), True
    if "#01" in text or "\\x0" in text:
        plain = re.sub(_NO_CONTROL, lambda match: _CONTROL[match.group()], text)
        text, changed = plain, changed or plain != text
    return [line for line in re.split(r"[\r\n]+", text) if line.strip()] if changed else None


def _from_json(text: str) -> str | None:
    """Return the message of a record in JSON, behind its time; whatever stands before the object stays before it."""
    begin = text.find("{")
    if begin < 0 or '"' not in text[begin : begin + 3] or not text.rstrip().endswith("}"):
        return None
    try:
        record = json.loads(text[begin:], parse_int=_number)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    message = next((record[key] for key in _TEXT_KEYS if isinstance(record.get(key), (str, list))), None)
    if isinstance(message, list):
        # journald gives texts that are no UTF-8 as numbers.
        if not all(isinstance(byte, int) and 0 <= byte < 256 for byte in message):
            return None
        message = bytes(message).decode("utf-8", "replace")
    if message is None:
        return None
    time = next((record[key] for key in _TIME_KEYS if isinstance(record.get(key), str)), "")
    stamp = f"{time} " if compiled(_ISO).fullmatch(time) else ""
    return "\n".join(stamp + line for line in message.split("\n") if line.strip())


def _number(digits: str) -> int:
    """Read a number of a record; one that is absurdly long is no byte of a text, whatever it is."""
    return int(digits) if len(digits) < 20 else -1
