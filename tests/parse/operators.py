"""What happens to reports between the kernel and whoever reads them, as functions on their lines."""

import json
import quopri
import textwrap
from collections.abc import Callable
from html import escape
from random import Random

Operator = Callable[[list[str], Random], list[str]]

#: What stands before each record. The kernel's own text follows directly.
PREFIXES: dict[str, str] = {
    "syslog": "Jan  1 00:17:21 box kernel: ",
    "syslog with time": "Jan  1 00:17:21 box kernel: [   12.345678] ",
    "busybox": "Jan  1 00:17:21 (none) user.warn kernel: ",
    "logread": "Wed Mar 13 11:16:48 2031 kern.warn kernel: [   12.345678] ",
    "rfc 5424": "<4>1 2031-03-13T11:16:48.123456+00:00 box kernel - - - [   12.345678] ",
    "rsyslog iso": "2031-02-03T04:05:06.123456+01:00 box kernel: ",
    "journald": "Mar 13 11:16:48 box kernel: ",
    "journald full": "Wed 2031-03-13 11:16:48 UTC box kernel: ",
    "journald monotonic": "[   12.345678] box kernel: ",
    "journald unix": "1678703808.123456 box kernel: ",
    "svlogd": "2031-03-13_11:16:48.12345 kern.warn: ",
    "tai64n": "@4000000065f1a2b31234abcd kern.warn: ",
    "[ts]": "[   12.345678] ",
    "<4>[ts]": "<4>[   12.345678] ",
    "<4>": "<4>",
    "[ts][T1662]": "[   12.345678][ T1662] ",
    "[ts] [ T416]": "[   12.345678] [  T416] ",
    "[ts][C0]": "[   12.345678][    C0] ",
    "kmsg": "4,1234,5678901,-;",
    "kmsg with caller": "4,1234,5678901,-,caller=T12;",
    "dmesg -x": "kern  :warn  : [   12.345678] ",
    "dmesg -T": "[Fri Feb  3 04:05:06 2031] ",
    "dmesg -d": "[   12.345678 <    0.000012>] ",
    "dmesg -H": "[Mar13 11:16] ",
    "dmesg -H delta": "[  +0.000012] ",
    "dmesg iso": "2031-03-13T11:16:48,123456+00:00 ",
    "logcat": "02-03 04:05:06.789   123   456 W kernel  : ",
    "logcat kmsg": "02-03 04:05:06.789 <4>[   12.345678] c0 ",
    "uart clock": "[11:16:48.123] ",
    "uart clock and time": "(11:16:48.123) [   12.345678] ",
    "uart arrow": "11:16:48.123 -> [   12.345678] ",
    "uart date": "[2031-03-13 11:16:48.123] [   12.345678] ",
    "amlogic": "[   12.345678@0] ",
    "mediatek": "<4>[  261.841815]-(0)[2880:sync svc 43]",
    "mediatek blank": "<4>[  261.841815] (0)[2880:sync svc 43]",
    "preloader": "[   12.345678]<0>.(0)[1:swapper]",
    "exynos": "<4>[   12.345678]  [0:        init:    1] ",
    "hisilicon": "[12.345678s][pid:1,cpu0,swapper/0]",
    "wall clock": "[   12.345678 / 01-01 00:00:00.123] ",
    "cpu": "[   12.345678] [CPU0] ",
    "grep -n": "12345:Jan  1 00:17:21 box kernel: ",
    "grep -A": "kern.log-Jan  1 00:17:21 box kernel: ",
    "grep -Hn": "kern.log:12:[   12.345678] ",
    "cri": "2031-03-13T11:16:48.123456789Z stdout F [   12.345678] ",
    "kubectl": "[pod/web-1/web] [   12.345678] ",
    "mail": "> > ",
    "mail of syslog": ">> > Jan  1 00:17:21 box kernel: ",
    "web page": "\u00a0\u2009 ",
}
#: Prefixes that are no records of a log: whatever is broken behind them cannot be told from its rest.
QUOTES = ("mail", "web page", "<4>")


def prefixed(prefix: str) -> Operator:
    return lambda lines, _random: [prefix + line for line in lines]


def ended(end: str) -> Operator:
    return lambda lines, _random: [line + end for line in lines]


def double_spaced(lines: list[str], _random: Random) -> list[str]:
    return [part for line in lines for part in (line, "")]


def collapsed(lines: list[str], _random: Random) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def no_break_spaces(lines: list[str], random: Random) -> list[str]:
    return ["".join("\u00a0" if c == " " and random.random() < 0.5 else c for c in line) for line in lines]


def docker(lines: list[str], _random: Random) -> list[str]:
    time = "2031-03-13T11:16:48.123456789Z"
    return [json.dumps({"log": line + "\n", "stream": "stdout", "time": time}) for line in lines]


def kubernetes(lines: list[str], _random: Random) -> list[str]:
    start = "2031-03-13T11:16:48.123456789Z stdout F "
    return [start + json.dumps({"level": "warn", "message": "[   12.345678] " + line}) for line in lines]


def journald_json(lines: list[str], _random: Random) -> list[str]:
    return [json.dumps({"PRIORITY": "4", "MESSAGE": line, "__MONOTONIC_TIMESTAMP": "12"}) for line in lines]


def html(lines: list[str], _random: Random) -> list[str]:
    return [escape(line, quote=False) for line in lines]


def rsyslog_escapes(lines: list[str], _random: Random) -> list[str]:
    """The counters are one record of several lines: rsyslog keeps it in one, with #012 for the line ends."""
    records: list[str] = []
    for line in lines:
        # Within the record each further line begins with a blank, and names a counter.
        if line.startswith(" ") and ":" in line and "+0x" not in line and records:
            records[-1] += "#012" + line
        else:
            records.append("Mar 13 11:16:48 box kernel: " + line)
    return records


def quoted_printable(lines: list[str], _random: Random) -> list[str]:
    return quopri.encodestring("\n".join(lines).encode()).decode().split("\n")


def with_noise(lines: list[str], random: Random) -> list[str]:
    noise = (
        "Jan  1 00:17:21 box sshd[812]: Accepted publickey for root from 10.1.2.3 port 4022",
        "Jan  1 00:17:21 box kernel: usb 1-1: new high speed USB device using ehci and address 7",
        "Jan  1 00:17:21 box powerd: battery at 61 %, 3 of 4 ok: free 12*4kB",
        "",
    )
    out: list[str] = []
    for line in lines:
        out += random.choices(noise, k=random.choice((0, 0, 1, 2)))
        out.append("Jan  1 00:17:21 box kernel: " + line)
    return out


def joined_records(lines: list[str], _random: Random) -> list[str]:
    """A mail program sets the records of a log like the words of a letter."""
    text = " ".join("Mar 16 21:40:40 box kernel: " + " ".join(line.split()) for line in lines)
    return ["> " + line for line in textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)]


def wrapped_at_blanks(lines: list[str], random: Random) -> list[str]:
    width = random.randint(66, 80)
    out: list[str] = []
    for line in lines:
        out += textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    return out


def wrapped_anywhere(lines: list[str], random: Random) -> list[str]:
    width = random.choice((72, 79, 80, 100, 140))
    return [line[at : at + width] for line in lines for at in range(0, max(len(line), 1), width)]


def wrapped_and_quoted(lines: list[str], random: Random) -> list[str]:
    return ["> > " + line for line in wrapped_at_blanks(lines, random)]


def wrapped_behind_times(lines: list[str], random: Random) -> list[str]:
    return wrapped_at_blanks(["[   12.345678] " + line for line in lines], random)


def cut_columns(lines: list[str], random: Random) -> list[str]:
    width = random.choice((79, 80, 132, 140))
    return [line[:width] for line in lines]


def without_head(lines: list[str], random: Random) -> list[str]:
    return lines[random.randint(1, len(lines) - 1) :]


def without_tail(lines: list[str], random: Random) -> list[str]:
    return lines[: random.randint(1, len(lines) - 1)]


def without_lines(lines: list[str], random: Random) -> list[str]:
    """Lose single lines. Which of two neighbours that were both lost the next line belonged to, nothing can tell."""
    out, lost = [lines[0]], False
    for line in lines[1:]:
        lost = not lost and random.random() < 0.15
        if not lost:
            out.append(line)
    return out


def in_pieces(lines: list[str], random: Random) -> list[str]:
    """Since 4.10 a line that another processor interrupts goes on as records of its own (pr_cont)."""
    out: list[str] = []
    stamp, other = "[  104.858737] ", "[  104.863389]  ? lock_acquire+0x1d5/0x580"
    for line in lines:
        whole = [stamp + line]
        if line.startswith("lowmem_reserve[]:"):
            head, *values = line.split(" ")
            whole = [stamp + head, *(f"{stamp} {value}" for value in values)]
        elif "*4kB" in line:
            words = line.replace(" (", "~(").split(" ")
            at = next(index for index, word in enumerate(words) if word.endswith(":")) + 1
            whole = [stamp + " ".join(words[:at]), *(f"{stamp}{word.replace('~', ' ')} " for word in words[at:])]
            # The total and its equals sign are one print.
            whole[-2:] = [whole[-2].rstrip() + " " + words[-1]]
        elif line.startswith("Node ") and " free:" in line:
            node, number, rest = line.split(" ", 2)
            whole = [f"{stamp}{node} {number} ", stamp + rest]
        for record in whole:
            out.append(record)
            if "+0x" not in line and any(
                mark in "".join(lines[: lines.index(line)]) for mark in ("Mem-Info", "Mem-info")
            ):
                out += [other] * random.choice((0, 0, 1, 3))
    return out


def with_dropped_characters(lines: list[str], random: Random) -> list[str]:
    """A serial line that is too slow loses single characters."""
    out = []
    for line in lines:
        if len(line) > 20 and random.random() < 0.3:
            at = random.randrange(len(line))
            line = line[:at] + line[at + 1 :]
        out.append(line)
    return out


#: After these a report says the same as before.
HARMLESS: dict[str, Operator] = {
    **{f"prefix {name}": prefixed(prefix) for name, prefix in PREFIXES.items()},
    **{f"end {end!r}": ended(end) for end in ("\r", "   ", "\t", "\u00a0", "\x00", "\x1b[0m")},
    "double spaced": double_spaced,
    "collapsed": collapsed,
    "no-break spaces": no_break_spaces,
    "docker": docker,
    "kubernetes": kubernetes,
    "journald json": journald_json,
    "html": html,
    "rsyslog #012": rsyslog_escapes,
    "quoted-printable": quoted_printable,
    "other programs": with_noise,
    "pieces": in_pieces,
}
#: After these a report may say less, but nothing else.
HARMFUL: dict[str, Operator] = {
    "joined records": joined_records,
    "wrapped at blanks": wrapped_at_blanks,
    "wrapped anywhere": wrapped_anywhere,
    "wrapped and quoted": wrapped_and_quoted,
    "wrapped behind times": wrapped_behind_times,
    "cut columns": cut_columns,
    "head lost": without_head,
    "tail lost": without_tail,
    "lines lost": without_lines,
}
