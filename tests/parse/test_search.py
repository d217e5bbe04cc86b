"""The search for all words at once finds what looking for each of them finds, in any encoding."""

from hypothesis import given
from hypothesis import strategies as st

from oomadvisor.parse.forms import FORMS, TRIGGER_SEARCH, TRIGGERS
from oomadvisor.parse.search import WordSearch

_PARTS = ("oom-", "oom-killer", "killer", "page ", "page allocation", "lowmem_reserve[]:", "x", " ", "\n", "\0", "\xe9")
parts = st.lists(st.sampled_from(_PARTS) | st.text(max_size=3), max_size=8).map("".join)
keys = sorted({key for form in FORMS for key in form.keys})


@given(parts)
def test_triggers_in_text(text: str) -> None:
    assert TRIGGER_SEARCH.in_text(text) == any(trigger in text for trigger in TRIGGERS)


@given(parts, st.sampled_from(["utf-8", "utf-16-le", "latin-1"]), st.binary(max_size=3))
def test_triggers_in_bytes(text: str, encoding: str, odd: bytes) -> None:
    block = odd + text.encode(encoding, "replace") + odd
    assert TRIGGER_SEARCH.in_bytes(block) == any(trigger.encode() in block for trigger in TRIGGERS)


@given(st.lists(st.sampled_from(keys), min_size=1, max_size=9), st.lists(st.sampled_from(keys), max_size=2), parts)
def test_the_keys_of_all_forms_can_be_searched_for(words: list[str], there: list[str], between: str) -> None:
    text = between.join(["", *there, "\ud800"])
    assert WordSearch(words).in_text(text) == any(word in text for word in words)
