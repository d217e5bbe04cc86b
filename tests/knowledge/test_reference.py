"""The reference: complete for 2.6.31, agreeing with the kernel functions of this project, and findable."""

import json
import re
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from oomadvisor import knowledge
from oomadvisor.kernel.gfp import COMPOSITES, SINGLE_BITS, flag_names
from oomadvisor.kernel.marks import MIN_FREE_KBYTES_CAP, MIN_FREE_KBYTES_FLOOR
from oomadvisor.kernel.reserve import default_ratios
from oomadvisor.knowledge.computed import computed_default
from oomadvisor.knowledge.entry import KINDS, TOPICS, Absent, CallSiteEntry, Computed, Entry, GfpEntry, Setting
from oomadvisor.knowledge.reference import entries, named, search, spelled
from tests.knowledge.test_files import VECTORS

# kernel/sysctl.c: vm_table of 2.6.31, in its order.
VM_TABLE = [
    "overcommit_memory",
    "panic_on_oom",
    "oom_kill_allocating_task",
    "oom_dump_tasks",
    "overcommit_ratio",
    "page-cluster",
    "dirty_background_ratio",
    "dirty_background_bytes",
    "dirty_ratio",
    "dirty_bytes",
    "dirty_writeback_centisecs",
    "dirty_expire_centisecs",
    "nr_pdflush_threads",
    "swappiness",
    "nr_hugepages",
    "hugetlb_shm_group",
    "hugepages_treat_as_movable",
    "nr_overcommit_hugepages",
    "lowmem_reserve_ratio",
    "drop_caches",
    "min_free_kbytes",
    "percpu_pagelist_fraction",
    "max_map_count",
    "nr_trim_pages",
    "laptop_mode",
    "block_dump",
    "vfs_cache_pressure",
    "legacy_va_layout",
    "zone_reclaim_mode",
    "min_unmapped_ratio",
    "min_slab_ratio",
    "stat_interval",
    "mmap_min_addr",
    "numa_zonelist_order",
    "vdso_enabled",
    "highmem_is_dirtyable",
    "scan_unevictable_pages",
]

OF_2_6_31 = (2, 6, 31, 12)
SETTINGS = [entry for entry in entries() if isinstance(entry, Setting)]
VM = {entry.name.removeprefix("vm."): entry for entry in SETTINGS if entry.name.startswith("vm.")}


def in_2_6_31(rows: list[list[Any]]) -> list[Any]:
    """Return what of [since, ...] rows holds in 2.6.31."""
    return [row[1:] for row in rows if knowledge.version_tuple(row[0]) <= OF_2_6_31][-1]


def only(name: str, kind: type[Entry] = Entry) -> Entry:
    (found,) = (entry for entry in entries() if entry.name == name and isinstance(entry, kind))
    return found


class TestComplete:
    def test_every_knob_of_2_6_31_in_the_order_of_its_table(self) -> None:
        assert list(VM) == VM_TABLE

    def test_every_other_knob_is_said_to_be_absent(self) -> None:
        absent = {entry.name for entry in entries() if isinstance(entry, Absent)}
        assert {name for name in knowledge.knobs() if name.removeprefix("vm.") not in VM_TABLE} <= absent
        assert not absent & {f"vm.{name}" for name in VM_TABLE}

    def test_what_is_absent_is_absent_in_2_6_31_and_what_can_be_set_exists(self) -> None:
        for entry in entries():
            assert (entry.exists_in(OF_2_6_31) is False) == isinstance(entry, Absent), entry.name

    def test_every_call_site_has_an_entry(self) -> None:
        described = [entry.name for entry in entries() if isinstance(entry, CallSiteEntry)]
        assert sorted(described) == sorted(site.id for site in knowledge.call_sites())

    def test_every_topic_has_entries(self) -> None:
        assert {entry.topic for entry in entries()} == set(TOPICS)

    @pytest.mark.parametrize(
        ("name", "first"),
        [
            ("compaction", "2.6.35"),
            ("vm.compact_memory", "2.6.35"),
            ("oom_score_adj", "2.6.36"),
            ("vm.watermark_scale_factor", "4.6"),
            ("transparent hugepages", "2.6.38"),
            ("KSM", "2.6.32"),
            ("CMA", "3.5"),
            ("zswap", "3.11"),
            ("zram", "3.14"),
            ("cleancache", "3.0"),
            ("OOM reaper", "4.6"),
            ("PSI", "4.20"),
            ("MemAvailable", "3.14"),
            ("vm.extra_free_kbytes", "3.18"),
        ],
    )
    def test_the_first_version_of_what_people_try(self, name: str, first: str) -> None:
        assert only(name).since == first


class TestAgreesWithTheKernel:
    def test_gfp_bits_and_composites_are_those_of_the_kernel_room(self) -> None:
        listed = {(e.kind, e.name): e.value for e in entries() if isinstance(e, GfpEntry) and e.kind != "mask"}
        bits = {("bit", name): int(value) for name, value in SINGLE_BITS}
        named_ = {("composite", name): int(value) for name, value in COMPOSITES}
        lone = {("composite", "GFP_NOWAIT"): 0, ("composite", "GFP_DMA"): 1, ("composite", "GFP_DMA32"): 4}
        assert listed == bits | named_ | lone

    def test_usual_masks_are_called_by_their_number_and_are_no_composite(self) -> None:
        masks = [entry for entry in entries() if isinstance(entry, GfpEntry) and entry.kind == "mask"]
        assert len(masks) >= 8
        for mask in masks:
            assert mask.name == f"{mask.value:#x}"
            names = flag_names(mask.value)
            assert len(names) > 1
            assert not any(name.startswith("0x") for name in names)

    def test_masks_that_call_sites_name_consist_of_known_bits(self) -> None:
        for entry in entries():
            for number in re.findall(r"0x[0-9a-f]+", getattr(entry, "mask", "")):
                assert not any(name.startswith("0x") for name in flag_names(int(number, 16))), (entry.name, number)

    def test_orders_of_operations_and_of_their_call_sites_are_the_same(self) -> None:
        arm = knowledge.operations("arm")
        for site in knowledge.call_sites():
            entry = only(site.id, CallSiteEntry)
            assert isinstance(entry, CallSiteEntry)
            if site.operation and entry.orders:
                assert set(entry.orders) <= {step.order for step in arm[site.operation].steps}

    @pytest.mark.parametrize(
        ("formula", "ram_mb", "value"),
        [  # the table of the specification, which the real kernel's function computed
            ("min_free_kbytes", 16, "509"),
            ("min_free_kbytes", 32, "721"),
            ("min_free_kbytes", 64, "1019"),
            ("min_free_kbytes", 128, "1442"),
            ("min_free_kbytes", 256, "2039"),
            ("min_free_kbytes", 512, "2884"),
            ("min_free_kbytes", 1024, "4079"),
            # by hand: 65024 / 1024 = 63, / 4 = 15, 15 + 7 = 22, largest power of two 16, less 1
            ("per_cpu_lists", 256, "hi 90, batch 15"),
            # by hand: an eighth of 65536 pages in stacks of two pages; the least is 20
            ("threads_max", 256, "4096"),
            ("threads_max", 1, "20"),
        ],
    )
    def test_defaults_by_formula(self, formula: Computed, ram_mb: int, value: str) -> None:
        assert computed_default(formula, ram_mb) == value

    def test_every_formula_is_some_settings_default(self) -> None:
        assert {entry.computed for entry in SETTINGS} == {None, "min_free_kbytes", "per_cpu_lists", "threads_max"}

    def test_limits_and_ratios_in_the_texts(self) -> None:
        assert f"{MIN_FREE_KBYTES_FLOOR}..{MIN_FREE_KBYTES_CAP}" in VM["min_free_kbytes"].default
        assert default_ratios(("DMA", "DMA32", "Normal", "HighMem", "Movable")) == [256, 256, 32, 32]
        assert VM["lowmem_reserve_ratio"].default == "256 for DMA and DMA32, 32 for the others"


class TestKnobsAgainstTheTreesThatWereRead:
    @pytest.mark.parametrize("name", VM_TABLE)
    def test_a_plain_default_is_the_same(self, name: str) -> None:
        (default,) = in_2_6_31(VECTORS[name]["default"])
        if isinstance(default, int):
            assert re.match(rf"{default}\b", VM[name].default), (default, VM[name].default)

    @pytest.mark.parametrize("name", VM_TABLE)
    def test_what_is_accepted_is_what_the_handler_checks(self, name: str) -> None:
        low, high = in_2_6_31(VECTORS[name]["range"])
        accepted, mode = VM[name].accepted, VECTORS[name]["mode"]
        if low is None and high is None:
            taken = ("any", "read-only") if name != "numa_zonelist_order" else ("default",)
            assert accepted.startswith(taken), accepted
        elif high is None:
            assert re.match(rf"({low}|two pages .*) and more", accepted) or low == "2*PAGE_SIZE", accepted
        else:
            assert accepted.startswith(f"{low}..{high}"), accepted
        assert (accepted == "read-only") == (mode == "0444")

    @pytest.mark.parametrize("name", VM_TABLE)
    def test_build_conditions(self, name: str) -> None:
        for option in VECTORS[name]["config"]:
            if name not in ("mmap_min_addr",):  # with an MMU only, which everything here has
                assert f"CONFIG_{option}" in (VM[name].needs or ""), (name, option)

    def test_the_test_reads_two_knobs(self) -> None:
        affecting = {name for name, entry in VM.items() if "allocator-test" in entry.affects}
        assert affecting == {name.removeprefix("vm.") for name, knob in knowledge.knobs().items() if knob.in_test}


class TestShape:
    ROW: ClassVar[dict[str, Any]] = {
        "topic": "sysctl",
        "name": "vm.x",
        "title": "X",
        "text": "It is x.",
        "type": "int",
        "default": "0",
        "accepted": "any int",
        "affects": ["log"],
        "takes_effect": "At once.",
        "price": "None.",
        "undo": "echo 0",
        "sources": ["vm-table"],
    }

    def test_a_good_row_is_taken(self) -> None:
        assert KINDS["sysctl"].model_validate_json(json.dumps(self.ROW)).name == "vm.x"

    @pytest.mark.parametrize(
        "change",
        [
            {"defualt": "0"},
            {"default": 0},
            {"sources": []},
            {"affects": []},
            {"affects": ["everything"]},
            {"text": "no sentence"},
            {"title": "x" * 101},
            {"title": "two\nlines"},
            {"since": "2.6.x"},
            {"since": "soon"},
            {"type": "float"},
            {"computed": "magic"},
            {"topic": "absent"},
        ],
    )
    def test_a_bad_row_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            KINDS["sysctl"].model_validate_json(json.dumps({**self.ROW, **change}))

    def test_a_field_that_is_missing_is_missed(self) -> None:
        for field in self.ROW:
            if field != "topic":
                row = {key: value for key, value in self.ROW.items() if key != field}
                with pytest.raises(ValidationError):
                    KINDS["sysctl"].model_validate_json(json.dumps(row))

    def test_names_are_unique_in_their_topic(self) -> None:
        words = [(e.topic, word) for e in entries() for word in set(map(spelled, (e.name, *e.aliases)))]
        assert [word for word in set(words) if words.count(word) > 1] == []


class TestFinding:
    @pytest.mark.parametrize(
        ("asked", "names"),
        [
            ("vm.swappiness", ["vm.swappiness", "swappiness"]),
            ("swappiness", ["swappiness", "vm.swappiness"]),
            ("/proc/sys/vm/swappiness", ["vm.swappiness"]),
            ("vm/swappiness", ["vm.swappiness"]),
            ("VM.Swappiness", ["vm.swappiness"]),
            ("CONFIG_SLUB", ["CONFIG_SLUB"]),
            ("slub", ["CONFIG_SLUB"]),
            ("mem=64M", ["mem="]),
            ("panic", ["panic=", "kernel.panic"]),
            ("oomkilladj", ["oom_adj"]),
            ("memcg", ["CONFIG_CGROUP_MEM_RES_CTLR"]),
            ("kernel cache pages", ["lab126-lines"]),
            ("__netdev_alloc_skb", ["network-receive"]),
            ("__gfp_wait", ["__GFP_WAIT"]),
            ("nothing of the kind", []),
            ("", []),
        ],
    )
    def test_by_name(self, asked: str, names: list[str]) -> None:
        found = [entry.name for entry in named(asked)]
        assert found == names if asked != "vm.swappiness" else found == ["vm.swappiness"]

    def test_every_function_of_a_call_site_finds_it(self) -> None:
        for site in knowledge.call_sites():
            for function in site.any_of:
                assert site.id in {entry.name for entry in named(function)}

    @given(st.sampled_from(entries()))
    def test_an_entry_is_found_by_its_own_name(self, entry: Entry) -> None:
        assert entry in named(entry.name)
        hits = search([entry.name], entries())
        assert next(hit.rank for hit in hits if hit.entry is entry) == 0

    @given(
        st.lists(st.sampled_from(["tmpfs", "swap", "order", "flash", "kB", "2.6.31", "nothing-like-it"]), min_size=1)
    )
    def test_one_word_more_never_finds_more(self, words: list[str]) -> None:
        all_of_them = {hit.entry.name for hit in search(words, entries())}
        assert all_of_them <= {hit.entry.name for hit in search(words[:-1], entries())}

    def test_better_places_come_first(self) -> None:
        ranks = [hit.rank for hit in search(["tmpfs"], entries())]
        assert ranks == sorted(ranks)
        assert {0, 1, 2} == set(ranks)
