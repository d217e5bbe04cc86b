"""Labels, cuts of large logs, and the ledger: what a run is made of, each on its own."""

import json
import random
import re
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

from bench.fleets import make_fleet
from oomadvisor.book import load_book
from oomadvisor.fleet import bundles
from oomadvisor.fleet.bundles import Bundle, Search
from oomadvisor.fleet.dataset import Dataset
from oomadvisor.fleet.engine import Answer, Died, InProcess
from oomadvisor.fleet.expert import rules_of
from oomadvisor.fleet.inputs import Input, inputs_of, public
from oomadvisor.fleet.labels import label_pattern
from oomadvisor.fleet.run import Run
from oomadvisor.fleet.work import Options
from oomadvisor.parse.stretch import Spacing
from tests.cli.conftest import SEED
from tests.fleet.runs import tables

RULES = rules_of(load_book())

LABELS: list[tuple[str, str, dict[str, str]]] = [
    ("{site}/{fw}/box-{n}.log", "/a/north/1.2/box-7.log", {"site": "north", "fw": "1.2", "n": "7"}),
    ("{site}/{fw}/box-{n}.log", "/a/north/1.2/box-7.log.gz", {}),
    ("{fw}.tar.gz!/{box}/*.log", "x/fw-9.tar.gz!/b1/kern.log", {"fw": "fw-9", "box": "b1"}),
    ("fw{fw}_*", "fw1_2_3", {"fw": "1"}),
    ("{a}-{b}", "x-y-z", {"a": "x", "b": "y-z"}),
    ("{a}/x", "x", {}),
    ("{a}", "", {"a": ""}),
]


@pytest.mark.parametrize(("pattern", "path", "labels"), LABELS)
def test_labels(pattern: str, path: str, labels: dict[str, str]) -> None:
    assert label_pattern(pattern).labels_of(path) == labels


words = st.text(alphabet="ab-.", max_size=8)


@given(st.lists(words.filter(bool), min_size=1, max_size=4), st.text(alphabet="ab-.", max_size=24), words, words)
def test_labels_are_those_of_a_regular_expression(middle: list[str], word: str, first: str, last: str) -> None:
    names = string.ascii_lowercase[: len(middle)]
    texts = [first, *middle[:-1], last]
    if any(not text for text in texts[1:-1]):
        return
    pattern = "".join(text + f"{{{name}}}" for text, name in zip(texts, names, strict=False)) + texts[-1]
    expression = "".join(re.escape(t) + f"(?P<{n}>.*?)" for t, n in zip(texts, names, strict=False)) + re.escape(last)
    match = re.fullmatch(expression, word)
    assert label_pattern(pattern).labels_of(word) == (match.groupdict() if match else {})


def test_no_pattern_is_slow() -> None:
    began = time.process_time()
    label_pattern("*a" * 500 + "{x}b").labels_of("a" * 200_000)
    assert time.process_time() - began < 1


def test_what_is_secret_in_an_url_is_in_no_table() -> None:
    for url in ("https://me:secret@host/a.log?sig=secret", "s3://k:secret@bucket/a", "ftp://secret@h/x#secret?secret"):
        assert "secret" not in public(url)


def run(
    inputs: list[str], out: Path, *, resume: bool = False, engine: InProcess | None = None, **options: object
) -> Run:
    dataset = Dataset(out, {"test": True})
    dataset.begin(resume=resume)
    found = [one for text in inputs for one in inputs_of(text)]
    doing = Run(dataset, [one for one in found if isinstance(one, Input)])
    doing.plan()
    with engine or InProcess(Options(**options), RULES) as doer:  # type: ignore[arg-type]
        doing.go(doer, lambda _: None)
    return doing


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One log with some dozen incidents, near each other and far apart."""
    folder = tmp_path_factory.mktemp("one")
    make_fleet(folder / "dense", seed=1, incidents=30, text_bytes=150_000)
    make_fleet(folder / "wide", seed=2, incidents=6, text_bytes=4_000_000)
    files = sorted(folder.rglob("box-*.log"))
    random.Random(1).shuffle(files)
    (folder / "all.log").write_bytes(b"".join(file.read_bytes() for file in files))
    return folder / "all.log"


class Stops(InProcess):
    """Does some jobs, and then no more."""

    def __init__(self, jobs: int, **options: object) -> None:
        super().__init__(Options(**options), RULES)  # type: ignore[arg-type]
        self.left = jobs

    def next(self) -> tuple[bundles.Job, Answer]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().next()


def test_a_large_log_in_slices_gives_the_same_rows(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one piece, in slices, in slices of several searches, and gone on with after some stops."""
    run([str(log)], tmp_path / "whole")
    expected = tables(tmp_path / "whole")
    assert len(expected["incidents"]) > 20
    monkeypatch.setattr(bundles, "LARGE_BYTES", 1 << 10)
    for number, (spacing, searched) in enumerate([(Spacing(1 << 30, 5), 1 << 30), (Spacing(1 << 18, 3), 1 << 19)]):
        monkeypatch.setattr("oomadvisor.fleet.work.SURVEY_BYTES", searched)
        out = tmp_path / f"sliced-{number}"
        done = run([str(log)], out, spacing=spacing)
        assert tables(out) == expected
        assert len(list((out / "ledger").iterdir())) > 5
        assert (done.progress.inputs, done.progress.incidents) == (1, len(expected["incidents"]))
        assert done.progress.done_bytes == done.progress.all_bytes
    out, stops = tmp_path / "stopped", 0
    while stops < 40:
        try:
            run([str(log)], out, resume=stops > 0, engine=Stops(8 + stops, spacing=Spacing(1 << 18, 3)))
            break
        except KeyboardInterrupt:
            stops += 1
    assert 1 <= stops < 40
    assert tables(out) == expected


def test_a_log_that_changes_between_two_runs_is_read_anew(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.log", "b.log"):
        (folder / name).write_bytes(SEED.read_bytes())
    run([str(folder)], out)
    (folder / "b.log").write_bytes(b"nothing happened\n")
    (folder / "c.log").write_bytes(SEED.read_bytes())
    done = run([str(folder)], out, resume=True)
    rows = {json.loads(row)["input"][-5:] for row in tables(out)["incidents"]}
    assert rows == {"a.log", "c.log"}
    assert (done.progress.inputs, done.progress.incidents) == (3, 2)


class Deadly(InProcess):
    """Whoever reads the log called ``name`` dies of it."""

    def __init__(self, name: str) -> None:
        super().__init__(Options(), RULES)
        self.name = name

    def next(self) -> tuple[bundles.Job, Answer]:
        job = self._jobs[0]
        names = [job.input.name] if isinstance(job, Search) else [one.name for one in job.inputs]
        if any(name.endswith(self.name) for name in names):
            return self._jobs.popleft(), Died("it died")
        return super().next()


def test_an_input_that_nobody_survives_does_not_take_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "ENOUGH_BUNDLES", 1)
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.log", "bad.log", "c.log"):
        (folder / name).write_bytes(SEED.read_bytes())
    done = run([str(folder)], out, engine=Deadly("bad.log"))
    inputs = {json.loads(row)["input"][-7:]: json.loads(row)["reason"] for row in tables(out)["inputs"]}
    assert len(tables(out)["incidents"]) == 2
    assert [reason for reason in inputs.values() if reason] == ["it died"]
    assert (done.progress.inputs, done.progress.unreadable) == (3, 1)


def test_a_thousand_tiny_inputs_are_few_bundles() -> None:
    tiny = [Input(f"{n}.log", f"{n}.log", 3_000) for n in range(1_000)]
    jobs = list(bundles.jobs_for(tiny))
    assert 50 < len(jobs) < 130
    assert [one for job in jobs if isinstance(job, Bundle) for one in job.inputs] == tiny
    huge = Input("huge.log", "huge.log", 1 << 40)
    assert Search(huge) in list(bundles.jobs_for([*tiny, huge]))
