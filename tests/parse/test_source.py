"""Inputs of all kinds: what can be read is read, and what cannot is named."""

import gzip
import os
import pickle
from pathlib import Path

import pytest

from oomadvisor.parse import InputError, open_text, read_incidents, scan_file
from oomadvisor.parse.source import MAX_LINE_BYTES
from tests.parse.render import render
from tests.parse.states import make_incident

STATE = make_incident(11, "arm")
REPORT = "\n".join(render(STATE)) + "\n"


def write(tmp_path: Path, data: bytes, name: str = "log") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


def test_lines_keep_their_ends(tmp_path: Path) -> None:
    with open_text(write(tmp_path, b"a\r\n\nb")) as source:
        assert list(source) == ["a\r\n", "\n", "b"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = write(tmp_path, b"")
    with open_text(path) as source:
        assert list(source) == []
    assert list(scan_file(path)) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "Gerät läuft\n" + REPORT
    if encoding.endswith("-bom"):
        data = ("\ufeff" + text).encode(encoding.removesuffix("-bom"))
    else:
        data = text.encode(encoding)
    (found,) = scan_file(write(tmp_path, data))
    assert (found.line, found.zones) == (2, STATE.zones)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    path = write(tmp_path, ("noise\n" + REPORT).replace("\n", end).encode())
    (found,) = scan_file(path)
    assert (found.line, found.zones, found.counters) == (2, STATE.zones, STATE.counters)


def test_nul_bytes_between_and_in_lines(tmp_path: Path) -> None:
    data = b"\x00\x00" + REPORT.encode().replace(b" min:", b"\x00 min:").replace(b"\n", b"\x00\n")
    (found,) = scan_file(write(tmp_path, data))
    assert found.zones == STATE.zones


def test_a_gz_of_several_members(tmp_path: Path) -> None:
    half = len(REPORT) // 2
    data = gzip.compress(REPORT[:half].encode()) + gzip.compress(REPORT[half:].encode()) + b"\x00" * 512
    (found,) = scan_file(write(tmp_path, data, "log.gz"))
    assert found.zones == STATE.zones


def test_a_gz_without_the_name_of_one(tmp_path: Path) -> None:
    (found,) = scan_file(write(tmp_path, gzip.compress(REPORT.encode()), "log.old"))
    assert found.zones == STATE.zones


def test_what_a_cut_gz_holds_is_delivered_with_a_warning(tmp_path: Path) -> None:
    data = gzip.compress((REPORT + "x y z\n" * 10).encode())
    path = write(tmp_path, data[:-12], "log.gz")
    with open_text(path) as source:
        (from_lines,) = read_incidents(source, file=path)
        assert [warning.code for warning in source.warnings] == ["truncated-gzip"]
    (found,) = scan_file(path)
    assert found.zones == from_lines.zones == STATE.zones
    assert "truncated-gzip" in {warning.code for warning in found.warnings}


@pytest.mark.parametrize("share", [0.4, 0.5, 0.9])
def test_a_damaged_gz_delivers_what_lies_before_the_damage(tmp_path: Path, share: float) -> None:
    noise = os.urandom(60_000).hex()
    data = bytearray(gzip.compress((REPORT + noise).encode()))
    middle = int(len(data) * share)
    data[middle : middle + 40] = bytes(40)
    (found,) = scan_file(write(tmp_path, bytes(data), "log.gz"))
    assert found.zones == STATE.zones


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1f\x8b\x08\x00", "no readable gzip"),
        (b"\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff", "no readable gzip"),
        (b"\xfd7zXZ\x00\x00\x04", "an xz archive"),
        (b"BZh91AY&SY", "a bzip2 archive"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "a zstd archive"),
        (b"PK\x03\x04\x14\x00", "a zip archive"),
        (bytes(range(256)) * 300, "not text"),
        (b"\x00" * 5_000, "not text"),
        (b"\x7fELF\x01\x01\x01" + bytes(range(0, 200)) * 30, "not text"),
        (gzip.compress(bytes(range(256)) * 300), "not text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, text: str) -> None:
    path = write(tmp_path, data, "junk")
    for reader in (lambda: list(scan_file(path)), lambda: open_text(path).__enter__()):
        with pytest.raises(InputError, match=text) as caught:
            reader()
        assert caught.value.file == path
        assert caught.value.expected is not None


def test_a_report_between_binary_junk_is_found(tmp_path: Path) -> None:
    junk = bytes(range(256)) * 40
    found = list(scan_file(write(tmp_path, junk + b"\n" + REPORT.encode() + junk)))
    assert [incident.zones for incident in found] == [STATE.zones]


def test_missing_folder_unreadable_and_impossible_names(tmp_path: Path) -> None:
    for name, text in (
        (str(tmp_path / "nowhere"), "does not exist"),
        (str(tmp_path), "is a folder"),
        ("a\x00b", "no file name"),
    ):
        with pytest.raises(InputError, match=text):
            list(scan_file(name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        list(scan_file(str(path)))


def test_long_lines_are_cut_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, b"x" * (2 << 20) + b"\n" + REPORT.encode() + b"y" * 200_000 + b"\nend\n")
    with open_text(path) as source:
        lines = list(source)
        assert [warning.code for warning in source.warnings] == ["long-line", "long-line"]
    assert max(map(len, lines)) <= MAX_LINE_BYTES + 2
    assert lines[-1] == "end\n"
    (found,) = scan_file(path)
    assert found.line == 2
    assert found.zones == STATE.zones


def test_one_line_of_two_megabytes(tmp_path: Path) -> None:
    assert list(scan_file(write(tmp_path, b"Out of memory " * 150_000))) == []


def test_the_error_says_where_and_what() -> None:
    error = InputError("a.conf", "'x' is no setting", line=3, column=5, expected="name = value")
    assert str(error) == "a.conf:3:5: 'x' is no setting; expected name = value"
    again = pickle.loads(pickle.dumps(error))
    assert (again.file, again.line, again.column, str(again)) == ("a.conf", 3, 5, str(error))
