"""Slips are counted as optimal string alignment counts them, up to what is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from gis.addresses.slips import slips

WORDS = st.text("东西南", max_size=7)


@given(WORDS, WORDS, st.sampled_from((1, 2)))
def test_slips_are_those_of_a_whole_alignment_or_one_more_than_asked_for(written: str, name: str, most: int) -> None:
    assert slips(written, name, most) == min(aligned(written, name), most + 1)


def aligned(left: str, right: str) -> int:
    """Return the optimal string alignment distance by its definition, cell by cell."""
    cells = {(i, 0): i for i in range(len(left) + 1)} | {(0, j): j for j in range(len(right) + 1)}
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            ways = [cells[i - 1, j] + 1, cells[i, j - 1] + 1, cells[i - 1, j - 1] + (left[i - 1] != right[j - 1])]
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 2 : j][::-1]:
                ways.append(cells[i - 2, j - 2] + 1)
            cells[i, j] = min(ways)
    return cells[len(left), len(right)]
