"""A mistake in a file of YAML is told with its line, or that of the nearest thing around it."""

from __future__ import annotations

import pytest
import yaml

from core.yaml_places import line_of

TEXT = """\
name: one
choices:
  - value: yes
    title: Yes
  - value: no
2: two
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        (("name",), 1),
        (("choices",), 2),
        (("choices", 0, "title"), 4),
        (("choices", 1), 5),
        (("choices", 1, "title"), 5),
        (("choices", 7), 2),
        (("name", "below"), 1),
        (("missing",), 1),
        ((2,), 6),
    ],
)
def test_a_place_has_the_line_of_itself_or_of_what_is_around_it(place: tuple[int | str, ...], line: int) -> None:
    assert line_of(yaml.compose(TEXT), place) == line


def test_an_empty_file_has_one_line() -> None:
    assert line_of(yaml.compose(""), ("name",)) == 1
