"""Building numbers: what they promise (contract.md, Building numbers), and that they never change."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis import numbering
from gis.terms import BuildingKind

KINDS = sorted(numbering.KIND_DIGITS)
LAST = numbering.SERIALS - 1
SERIALS = st.integers(0, LAST)
PINNED = {
    (0, "residential"): "153273413646",
    (1, "residential"): "157884366749",
    (2, "residential"): "141271515861",
}
"""Numbers on plates. They hold the permutation and the kinds' digits where they are, for ever."""
NOT_NUMBERS = {
    "nothing": "",
    "a digit short": "15327341364",
    "a digit too many": "1532734136460",
    "a letter": "15327341364O",
    "a sign": "+53273413646",
    "an underscore, which int() takes": "1_5327341364",
    "full-width digits, which int() takes": "153273413646".translate(
        {48 + digit: 0xFF10 + digit for digit in range(10)}
    ),
    "Arabic digits, which int() takes": "١٥٣٢٧٣٤١٣٦٤٦",
    "a blank before": " 153273413646",
    "a line's end": "153273413646\n",
    "groups of another size": "15327 3413 646",
    "two blanks between": "1532  7341 3646",
    "a tab between": "1532\t7341\t3646",
    "hyphens between": "1532-7341-3646",
    "a dwelling's code": "1532 7341 3646-0001",
    "only zeros": "000000000000",
}


def unchecked(body: int) -> str:
    """Return the twelve digits with ISO 7064 MOD 97-10 check digits of ten, as the standard writes them."""
    return f"{body:010d}{98 - body * 100 % 97:02d}"


def test_the_first_numbers_are_what_they_always_were() -> None:
    assert {key: numbering.issue(*key) for key in PINNED} == PINNED


def test_the_kind_is_the_first_digit() -> None:
    firsts = {kind: numbering.issue(7, kind)[0] for kind in KINDS}
    assert firsts == {"residential": "1", "work_shed": "2", "other_habitable": "3", "test": "9"}
    assert set(BuildingKind) | {numbering.TEST} == set(KINDS)


@given(SERIALS, st.sampled_from(KINDS))
def test_an_issued_number_is_twelve_digits_with_their_check(serial: int, kind: str) -> None:
    number = numbering.issue(serial, kind)
    assert len(number) == 12
    assert number == unchecked(int(number[:10]))
    assert int(number) % 97 == 1
    assert numbering.is_valid(number)


@given(SERIALS, st.sampled_from(KINDS))
def test_a_number_is_shown_in_groups_of_four_that_are_valid_too(serial: int, kind: str) -> None:
    number = numbering.issue(serial, kind)
    shown = numbering.show(number)
    assert [len(group) for group in shown.split(" ")] == [4, 4, 4]
    assert shown.replace(" ", "") == number
    assert numbering.is_valid(shown)
    assert numbering.show(shown) == shown


@given(SERIALS, st.sampled_from(KINDS))
def test_every_wrong_digit_is_found(serial: int, kind: str) -> None:
    number = numbering.issue(serial, kind)
    wrong = [
        number[:place] + digit + number[place + 1 :]
        for place in range(12)
        for digit in "0123456789"
        if digit != number[place]
    ]
    assert len(wrong) == 12 * 9
    assert [text for text in wrong if numbering.is_valid(text)] == []


@given(SERIALS, st.sampled_from(KINDS))
def test_every_swap_of_two_digits_is_found(serial: int, kind: str) -> None:
    number = numbering.issue(serial, kind)
    swapped = []
    for one, other in combinations(range(12), 2):
        digits = list(number)
        digits[one], digits[other] = digits[other], digits[one]
        if digits[one] != digits[other]:
            swapped.append("".join(digits))
    assert [text for text in swapped if numbering.is_valid(text)] == []


@given(st.integers(0, LAST - 5_000), st.integers(1, 5_000))
def test_no_two_serials_of_a_block_share_a_number(first: int, many: int) -> None:
    numbers = numbering.issue_many(np.arange(first, first + many, dtype=np.int64), ["test"] * many)
    assert len(np.unique(numbers)) == many


def test_no_two_of_the_first_million_serials_share_a_number() -> None:
    many = 10**6 + 1
    numbers = numbering.issue_many(np.arange(many, dtype=np.int64), ["residential"] * many)
    assert len(np.unique(numbers)) == many
    assert np.all(numbers % 97 == 1)
    assert numbers.min() >= 10**11
    assert numbers.max() < 2 * 10**11


def test_numbers_in_the_order_of_issue_are_in_no_order() -> None:
    numbers = numbering.issue_many(np.arange(10_000, dtype=np.int64), ["residential"] * 10_000)
    rising = np.count_nonzero(np.diff(numbers) > 0)
    assert 4_500 < rising < 5_500
    assert np.bincount(numbers // 10**10 % 10, minlength=10).min() > 800


@given(st.lists(st.tuples(SERIALS, st.sampled_from(KINDS)), max_size=50))
def test_many_at_once_are_the_same_as_one_by_one(asked: list[tuple[int, str]]) -> None:
    serials = np.array([serial for serial, _ in asked], dtype=np.int64)
    numbers = numbering.issue_many(serials, [kind for _, kind in asked])
    assert [str(number) for number in numbers] == [numbering.issue(serial, kind) for serial, kind in asked]
    assert serials.tolist() == [serial for serial, _ in asked]


@pytest.mark.parametrize("serial", [0, LAST])
def test_the_first_and_the_last_serial_have_numbers(serial: int) -> None:
    assert numbering.is_valid(numbering.issue(serial, "test"))


@pytest.mark.parametrize("serial", [-1, LAST + 1, 2**30, 2**62])
def test_a_serial_outside_the_domain_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="a serial is at least 0"):
        numbering.issue(serial, "residential")
    with pytest.raises(ValueError, match="a serial is at least 0"):
        numbering.issue_many(np.array([5, serial], dtype=np.int64), ["residential"] * 2)


@pytest.mark.parametrize("kind", ["", "Residential", "住宅建筑", "shed", "1"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="unknown kind of building"):
        numbering.issue(1, kind)


@pytest.mark.parametrize("what", NOT_NUMBERS)
def test_no_number_is(what: str) -> None:
    assert not numbering.is_valid(NOT_NUMBERS[what])
    with pytest.raises(ValueError, match="not a building number"):
        numbering.show(NOT_NUMBERS[what])


@given(st.text())
def test_any_text_is_either_a_number_or_not(text: str) -> None:
    if numbering.is_valid(text):
        assert int(text.replace(" ", "")) % 97 == 1
    else:
        with pytest.raises(ValueError, match="not a building number"):
            numbering.show(text)


@pytest.mark.parametrize("first", "045678")
def test_a_right_check_does_not_make_up_for_a_kind_that_is_none(first: str) -> None:
    number = unchecked(int(f"{first}123456789"))
    assert int(number) % 97 == 1
    assert not numbering.is_valid(number)


@pytest.mark.parametrize(("check", "twin"), [("00", "97"), ("01", "98"), ("99", "02")])
def test_check_digits_that_the_standard_never_makes_are_refused(check: str, twin: str) -> None:
    bodies = (body for body in range(10**9, 10**9 + 97) if unchecked(body).endswith(twin))
    number = unchecked(next(bodies))
    assert numbering.is_valid(number)
    assert int(number[:10] + check) % 97 == 1
    assert not numbering.is_valid(number[:10] + check)


def test_serials_from_everywhere_share_no_number() -> None:
    """Cycle walking neither leaves the domain nor folds it: a bijection of 2**30 stays one on 10**9."""
    rng = np.random.default_rng(2026)
    serials = np.unique(rng.integers(0, numbering.SERIALS, 200_000, dtype=np.int64))
    bodies = numbering.issue_many(serials, ["residential"] * len(serials)) // 100 - 10**9
    assert bodies.min() >= 0
    assert bodies.max() < numbering.SERIALS
    assert len(np.unique(bodies)) == len(serials)
