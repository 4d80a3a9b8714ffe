"""The table of keys says what a dictionary says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalog.seen_keys import SMALLEST, SeenKeys

CONTENTS = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "\ud800", "0"]) | st.text(max_size=3), CONTENTS), max_size=60))
def test_it_says_what_a_dictionary_says(rows: list[tuple[str, int]]) -> None:
    seen, known = SeenKeys(), dict[str, tuple[int, int]]()
    for line, (key, content) in enumerate(rows, start=1):
        first = known.get(key)
        assert seen.first(key, line, content) == (first and (first[0], first[1] == content))
        known.setdefault(key, (line, content))


def test_it_grows_and_forgets_nothing() -> None:
    seen, n = SeenKeys(), 4 * SMALLEST
    assert all(seen.first(f"SKU-{k}", k + 1, -k) is None for k in range(n))
    assert all(seen.first(f"SKU-{k}", n + k, -k) == (k + 1, True) for k in range(n))
    assert all(seen.first(f"SKU-{k}", n + k, 1) == (k + 1, False) for k in range(n))
