"""Which call site a backtrace shows: the nearest to the allocator, nothing beyond an interrupt, generic functions last.

The traces are our own: what 2.6.31 calls on the way, innermost function first, from reading its sources.
"""

import pytest

from oomadvisor import knowledge
from oomadvisor.infer import build_state
from oomadvisor.model import Frame, Incident, Request
from oomadvisor.summary import summary

ALLOC = "__alloc_pages_nodemask __get_free_pages"


@pytest.mark.parametrize(
    ("trace", "site"),
    [
        (f"{ALLOC} get_pgd_slow mm_init mm_alloc bprm_mm_init do_execve sys_execve", "exec-page-directory"),
        (f"{ALLOC} get_pgd_slow mm_alloc do_execve sys_execve", "exec-page-directory"),
        (f"{ALLOC} get_pgd_slow mm_init dup_mm copy_process do_fork sys_fork", "fork-page-directory"),
        (f"{ALLOC} pgd_alloc mm_init dup_mm copy_process do_fork sys_clone", "fork-page-directory"),
        (f"{ALLOC} copy_process do_fork sys_fork", "fork-kernel-stack"),
        (f"{ALLOC} cache_grow kmem_cache_alloc dup_mm copy_process do_fork", "fork-mappings"),
        ("__alloc_pages_nodemask pte_alloc_one __pte_alloc copy_page_range dup_mm copy_process", "page-table"),
        ("__alloc_pages_nodemask __do_page_cache_readahead filemap_fault __do_fault handle_mm_fault", "page-cache"),
        ("__alloc_pages_nodemask do_generic_file_read vfs_read kernel_read do_execve", "page-cache"),
        (
            "__alloc_pages_nodemask handle_mm_fault get_user_pages get_arg_page copy_strings do_execve",
            "anonymous-fault",
        ),
        ("__alloc_pages_nodemask shmem_getpage shmem_fault __do_fault handle_mm_fault do_page_fault", "shmem"),
        (f"{ALLOC} cache_alloc_refill __kmalloc __alloc_skb sock_alloc_send_pskb unix_stream_sendmsg", "unix-socket"),
        (f"{ALLOC} __kmalloc __alloc_skb sock_alloc_send_pskb ip_append_data udp_sendmsg", "udp-send"),
        (f"{ALLOC} __kmalloc __alloc_skb sock_alloc_send_pskb some_protocol_sendmsg", "network-buffer"),
        (f"{ALLOC} cache_grow __kmalloc seq_read proc_reg_read vfs_read", "seq-file"),
        ("__alloc_pages_nodemask __kmalloc ubifs_jnl_write_data do_writepage ubifs_writepage", "ubifs-write-back"),
        ("__alloc_pages_nodemask grab_cache_page_write_begin jffs2_write_begin sys_write", "jffs2-write"),
        ("__alloc_pages_nodemask __page_cache_alloc grab_cache_page_write_begin simple_write_begin", "ramfs"),
        ("__alloc_pages_nodemask grab_cache_page_write_begin ext2_write_begin sys_write", "page-cache-page"),
        ("__alloc_pages_nodemask __vmalloc_area_node module_alloc load_module sys_init_module", "module-load"),
        (
            "__alloc_pages_nodemask __kmalloc my_probe driver_probe_device do_one_initcall sys_init_module",
            "driver-init",
        ),
        ("__alloc_pages_nodemask __dma_alloc dma_alloc_coherent my_open dev_open", "dma-coherent"),
        ("__alloc_pages_nodemask __kmalloc my_open dev_open dev_change_flags", "network-device-open"),
        ("__alloc_pages_nodemask __kmalloc mtd_read vfs_read", "mtd-char"),
        ("__alloc_pages_nodemask __kmalloc sys_something_else", "kmalloc"),
        ("schedule ret_fast_syscall", None),
        ("", None),
    ],
)
def test_the_site_of_a_trace(trace: str, site: str | None) -> None:
    found = knowledge.call_site_of(trace.split())
    assert (found.id if found else None) == site


@pytest.mark.parametrize("entry", ["__irq_svc", "do_IRQ", "do_softirq", "common_interrupt", "plat_irq_dispatch"])
def test_what_was_interrupted_has_no_part_in_it(entry: str) -> None:
    receive = ["__alloc_pages_nodemask", "__kmalloc", "__alloc_skb", "__netdev_alloc_skb", "my_rx"]
    atomic = ["__alloc_pages_nodemask", "__kmalloc", "my_tasklet"]
    task = ["copy_process", "do_fork", "sys_fork"]
    for inside, site in ((receive, "network-receive"), (atomic, "kmalloc")):
        found = knowledge.call_site_of([*inside, entry, *task])
        assert found is not None
        assert found.id == site
    alone = knowledge.call_site_of([*atomic, *task])
    assert alone is not None
    assert alone.id == "fork-kernel-stack"


def test_a_function_that_shows_two_sites_shows_the_earlier() -> None:
    """dup_mm stands for the page directory and for the copied mappings; the page directory has its own function too."""
    assert [s.id for s in knowledge.call_sites() if "dup_mm" in s.any_of] == ["fork-page-directory", "fork-mappings"]


def test_frames_that_the_kernel_was_not_sure_of_come_second() -> None:
    def site(*raws: str) -> str | None:
        frames = tuple(Frame(symbol=raw.removeprefix("? "), raw=raw, line=2) for raw in raws)
        return build_state(Incident(kind="oom", file="-", line=1, last_line=9, backtrace=frames)).call_site

    assert site("__alloc_pages_nodemask", "? filemap_fault", "copy_process") == "fork-kernel-stack"
    assert site("__alloc_pages_nodemask", "? filemap_fault", "sys_call") == "page-cache"
    assert site("? __alloc_pages_nodemask", "? e100_alloc_cbs", "? dev_open") == "network-device-open"


@pytest.mark.parametrize(
    ("symbols", "order", "sentence"),
    [
        (
            ["__alloc_pages_nodemask", "__kmalloc", "mtd_read", "vfs_read"],
            5,
            "dd asked for 128 kB in one piece (order 5): the buffer of a program that reads or writes raw flash (/dev/mtdN).",
        ),
        (["__alloc_pages_nodemask", "some_function"], 0, "dd asked for one page (4 kB)."),
    ],
)
def test_the_summary_says_what_was_being_allocated(symbols: list[str], order: int, sentence: str) -> None:
    frames = tuple(Frame(symbol=symbol, raw=symbol, line=2) for symbol in symbols)
    asked = Request(comm="dd", order=order)
    incident = Incident(kind="alloc-failure", file="-", line=1, last_line=9, request=asked, backtrace=frames)
    assert summary(build_state(incident))[0] == sentence


def test_ids_are_unique_and_no_generic_site_hides_a_telling_one() -> None:
    sites = knowledge.call_sites()
    assert len({site.id for site in sites}) == len(sites)
    telling = {symbol for site in sites if not site.last for symbol in site.any_of}
    generic = [symbol for site in sites if site.last for symbol in site.any_of]
    assert not telling.intersection(generic)
    assert len(set(generic)) == len(generic)


def test_a_named_site_is_found() -> None:
    site = knowledge.call_site_named("unix-socket")
    assert site is not None
    assert site.avoidable is not None
    assert knowledge.call_site_named("nothing") is None
    assert knowledge.call_site_named(None) is None
