"""Every line form reads what stands in its line, and goes by the name that narrows the kernel."""

from typing import Any

import pytest

from oomadvisor.model import Incident
from oomadvisor.parse import kernel_ranges, narrowed, read_incidents, versions_of_forms
from oomadvisor.parse.forms import FORMS
from tests.parse.samples import SAMPLES, Sample

ZONE = (
    "DMA free:40kB min:4kB low:8kB high:12kB active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB "
    "unevictable:0kB isolated(anon):0kB isolated(file):0kB present:15996kB managed:15912kB mlocked:0kB"
)


def at(incident: Incident, path: str) -> Any:
    """Return what a path names: fields, positions, and keys such as ``node1_mapped`` for ``node1.mapped``."""
    value: Any = incident
    for part in path.split("."):
        if part.isdigit():
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value[part.replace("_", ".", 1)]
        else:
            value = getattr(value, part)
    return value


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_line_of_the_form_is_read(sample: Sample) -> None:
    lines = [*sample.before, sample.line, *sample.after]
    (incident,) = read_incidents([line + "\n" for line in lines], file="made-up")
    assert sample.name in incident.forms
    assert incident.line <= len(sample.before) + 1 <= incident.last_line
    for path, expected in sample.values.items():
        assert at(incident, path) == expected, path


def test_every_name_has_a_sample() -> None:
    always_a_variant = {form.name for form in FORMS if form.variants}
    shown = {sample.name for sample in SAMPLES}
    assert set(kernel_ranges()) - shown - always_a_variant == set()
    assert shown - set(kernel_ranges()) == {"trailer-lab126"}


def test_names_are_not_given_twice() -> None:
    names = [form.name for form in FORMS] + [variant.name for form in FORMS for variant in form.variants]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("lines", "oldest", "newest"),
    [
        (["x invoked oom-killer: gfp_mask=0xd0, order=1, oomkilladj=0"], (2, 6, 19), (2, 6, 31)),
        (["x invoked oom-killer: gfp_mask=0xd0, order=1, oom_adj=0"], (2, 6, 32), (2, 6, 35)),
        (["x invoked oom-killer: gfp_mask=0xd0, order=1, oom_adj=0, oom_score_adj=0"], (2, 6, 36), (3, 6)),
        (["x invoked oom-killer: gfp_mask=0xd0, order=1, oom_score_adj=0"], (3, 7), (4, 5)),
        (
            [
                "x invoked oom-killer: gfp_mask=0x6280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), nodemask=(null), order=1, oom_score_adj=0"
            ],
            (4, 18),
            (4, 20),
        ),
        (
            [
                "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0",
                "Tasks state (memory values in pages):",
                "Out of memory: Killed process 7 (x) total-vm:8kB, anon-rss:8kB, file-rss:8kB, shmem-rss:6kB, UID:0 pgtables:24kB oom_score_adj:5",
            ],
            (5, 4),
            None,
        ),
        # What a newer kernel prints further on may be missing from a line that was cut off.
        (["x invoked oom-killer: gfp_mask=0x200da, order=1, oom_score_adj=0", ZONE[:140]], (3, 7), (4, 5)),
        (
            [
                "x invoked oom-killer: gfp_mask=",
                f"{ZONE} free_pcp:0kB local_pcp:0kB free_cma:0kB writeback_tmp:0kB all_unreclaimable? no",
            ],
            (4, 1),
            (4, 7),
        ),
        (["Killed process 22 (init)"], None, None),
    ],
)
def test_forms_narrow_the_kernel(
    lines: list[str], oldest: tuple[int, ...] | None, newest: tuple[int, ...] | None
) -> None:
    (incident,) = read_incidents(lines, file="made-up")
    assert versions_of_forms(incident.forms) == (oldest, newest)


def test_forms_that_exclude_each_other_leave_only_the_lower_bound() -> None:
    found = narrowed(["oom-header-oomkilladj", "zone-managed"])
    assert (found.oldest, found.newest) == ((3, 8), None)
    assert found.reasons == (
        "3.8 or later, by the form zone-managed",
        "the form oom-header-oomkilladj is of older kernels: a back-port, or a damaged line",
    )


def test_both_bounds_name_the_form_that_they_rest_on() -> None:
    assert narrowed(["zone-active_anon", "oom-header-oomkilladj", "lowmem-reserve"]).reasons == (
        "2.6.28 or later, by the form zone-active_anon",
        "2.6.31 or earlier, by the form zone-active_anon",
    )


def test_names_that_are_not_known_say_nothing() -> None:
    assert versions_of_forms(["from-another-version"]) == (None, None)
