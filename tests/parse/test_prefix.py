"""What is taken off before the kernel's text, and what must stay."""

import pytest

from oomadvisor.parse.prefix import tidy, unprefix

TEXT = "Mem-info:"


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        ("Mem-info:", None),
        ("   Mem-info:   ", None),
        ("Jan  1 00:00:00 box kernel: Mem-info:", "Jan 1 00:00:00"),
        ("Jan  1 2031 00:00:00 box kernel: Mem-info:", "Jan 1 2031 00:00:00"),
        ("Jan 11 00:00:00 kernel: [ 5864.708440] Mem-info:", "Jan 11 00:00:00"),
        ("Jan 11 00:00:00 (none) user.warn kernel: Mem-info:", "Jan 11 00:00:00"),
        ("Jan 11 00:00:00 box kernel: : [69229257.683658] Mem-info:", "Jan 11 00:00:00"),
        ("2031-03-13T11:16:48.123456+00:00 box kernel: Mem-info:", "2031-03-13T11:16:48.123456+00:00"),
        ("2031-03-13 11:16:48,123 box kernel[7]: Mem-info:", "2031-03-13 11:16:48,123"),
        ("[    0.000000] Mem-info:", "0.000000"),
        ("[12345.678901] Mem-info:", "12345.678901"),
        ("<4>[12345.678901] Mem-info:", "12345.678901"),
        ("<6>Mem-info:", None),
        ("[12345.678901][ T1662] Mem-info:", "12345.678901"),
        ("[12345.678901][    C0] Mem-info:", "12345.678901"),
        ("[2681891.757523] [ T416120] Mem-info:", "2681891.757523"),
        ("[Wed Mar 13 11:16:48 2031] Mem-info:", "Wed Mar 13 11:16:48 2031"),
        ("[Di Aug 12 03:54:03 2031] Mem-info:", "Di Aug 12 03:54:03 2031"),
        ("[2031-03-13 11:16:48] Mem-info:", "2031-03-13 11:16:48"),
        ("4,1234,5678901,-;Mem-info:", "5678901"),
        ("6,1,0,-,caller=T1;Mem-info:", "0"),
        ("09-22 15:36:44.117 <4>[ 1304.482941] c2 Mem-info:", "09-22 15:36:44.117"),
        ("09-22 15:36:44.117  1234  5678 W kernel  : Mem-info:", "09-22 15:36:44.117"),
        ("09-22 15:36:44.117 W/kernel ( 77): Mem-info:", "09-22 15:36:44.117"),
        ("<4>[  261.841815]-(0)[2880:sync svc 43]Mem-info:", "261.841815"),
        ("<4>[  261.841815] (0)[2880:sync svc 43]Mem-info:", "261.841815"),
        ("> Mem-info:", None),
        (">>   Mem-info:", None),
        ("> > > [    1.000000] Mem-info:", "1.000000"),
        ("| Mem-info:", None),
        ("kernel: Mem-info:", None),
        ("\ufeffMem-info:", None),
        ("\u00a0Mem-info:\u2009", None),
        ("Mem-info:\r\n", None),
        ("\rMem-info:\x00\x00", None),
        ("\x1b[33m[    1.000000]\x1b[0m Mem-info:", "1.000000"),
    ],
)
def test_prefixes_come_off(raw: str, time: str | None) -> None:
    line = unprefix(9, raw)
    assert (line.number, line.text, line.time) == (9, TEXT, time)


@pytest.mark.parametrize(
    "text",
    [
        "[<c0106494>] (dump_backtrace+0x0/0x110) from [<c03641a0>] (dump_stack+0x18/0x1c)",
        "[ 410] 0 410 533 52 0 -17 udevd",
        "[ pid ] uid tgid total_vm rss cpu oom_adj name",
        "[c0000000e5aef400] [c00000000000eb24] .show_stack+0x70/0x1bc",
        "26591 total pagecache pages",
        "0 pages in swap cache",
        "CPU 0: hi: 18, btch: 3 usd: 0",
        "DMA: 2358*4kB 912*8kB = 17128kB",
        "c2e invoked oom-killer: gfp_mask=0xd0, order=2, oomkilladj=0",
        "kernel-thread invoked oom-killer: gfp_mask=0xd0, order=2, oomkilladj=0",
    ],
)
def test_what_the_kernel_wrote_stays(text: str) -> None:
    assert unprefix(1, text).text == text
    assert not unprefix(1, text).prefixed


def test_quoting_is_no_record_prefix() -> None:
    assert not unprefix(1, "> > Mem-info:").prefixed
    assert unprefix(1, "> > [    1.000000] Mem-info:").prefixed


def test_all_white_space_becomes_single_blanks() -> None:
    assert tidy(" a\t\tb\u00a0\u2003c  \u3000d\r\n") == "a b c d"
    assert tidy("\u200b\ufeff") == ""
