"""Which prompts stand in one batch."""

from __future__ import annotations

from inference.backends.batching import WIDTH, Batch, Shape, plan


def test_a_row_has_its_shape_from_itself_alone_and_always_some_padding() -> None:
    row = list(range(100))
    assert Shape.of(row, 40) == Shape(tuple(range(40)), WIDTH)
    assert Shape.of(row, 36).width == 2 * WIDTH, "64 tokens are left: without padding they would be read another way"
    assert Shape.of(row[:99], 36).width == WIDTH


def test_only_rows_of_one_shape_stand_together_the_widest_first() -> None:
    short, long, other = Shape((1, 2), 64), Shape((1, 2), 128), Shape((3,), 64)
    batches = plan([short, long, short, other, short, long], size=2)
    assert [(batch.shape, list(batch.places)) for batch in batches] == [
        (long, [1, 5]),
        (short, [0, 2]),
        (short, [4]),
        (other, [3]),
    ]


def test_half_of_a_batch_keeps_the_step() -> None:
    def halves(n: int) -> list[int]:
        return [len(part.places) for part in Batch(Shape((), 64), range(n)).halves(step=4)]

    assert [halves(n) for n in (16, 13, 9, 5, 4)] == [[8, 8], [8, 5], [8, 1], [4, 1], [4]]
