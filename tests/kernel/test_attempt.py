"""The prepared test answers as the test itself does, in every form, with words that wrap and without."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from oomadvisor.kernel.attempt import attempt_test
from oomadvisor.kernel.watermark import FORMS, FreeKinds, Privileges, TestRules, zone_watermark_fast

letters = st.sampled_from(["", "U", "M", "E", "H", "C", "UM", "HC"])
kinds = st.just(FreeKinds()) | st.builds(
    FreeKinds,
    lists=st.none() | st.lists(letters, max_size=6),
    cma=st.integers(0, 300),
    highatomic=st.integers(0, 300),
    unaccepted=st.integers(0, 100),
)
flags = st.just(Privileges()) | st.builds(Privileges, *[st.booleans()] * 5)
order0 = st.sampled_from(["none", "no cma", "no reserve, wraps", "no reserve"])
rules = st.builds(
    lambda form, order0, unaccepted: replace(form, order0=order0, unaccepted=unaccepted),
    st.sampled_from(list(FORMS.values())),
    order0,
    st.booleans(),
) | st.sampled_from(list(FORMS.values()))
#: What a zone holds, and what only a damaged counter or setting does: the ends of the kernel's words.
ENDS = [sign * (1 << bits) + off for bits in (31, 32, 63, 64) for sign in (-1, 1) for off in (-2, -1, 0, 1, 300)]
pages = st.integers(-50, 2000) | st.sampled_from(ENDS)


@given(
    rules=rules,
    flags=flags,
    kinds=kinds,
    bits=st.sampled_from([32, 64]),
    smp=st.booleans(),
    mark=pages,
    reserve=st.integers(0, 500) | st.sampled_from(ENDS),
    free=pages,
    blocks=st.lists(st.integers(0, 400) | st.sampled_from([1 << 29, 1 << 31]), max_size=6),
    order=st.integers(0, 6),
)
@settings(max_examples=500, deadline=None)
def test_the_prepared_test_is_the_test(
    rules: TestRules,
    flags: Privileges,
    kinds: FreeKinds,
    bits: int,
    smp: bool,
    mark: int,
    reserve: int,
    free: int,
    blocks: list[int],
    order: int,
) -> None:
    prepared = attempt_test(flags=flags, kinds=kinds, bits=bits, smp=smp, rules=rules)(mark, reserve)
    assert prepared(free, blocks, order) == zone_watermark_fast(
        free, blocks, order, mark, reserve, flags=flags, kinds=kinds, bits=bits, smp=smp, rules=rules
    )
