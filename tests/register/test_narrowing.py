"""A standard address places a structure in its township and village, and never by a guess."""

import numpy as np
import pytest

from gis import addresses
from gis.register import narrowing
from gis.store import session

JINFENG, YUANZHOU = 640106000000, 640402000000


def _narrowed(address: str | None, county: int = JINFENG) -> int:
    """Return the division an address leads to from a county."""
    codes = np.array([county], dtype=np.int64)
    with session.open("registrar") as connection:
        narrowing.narrow(connection, codes, np.array([0]), addresses.normalise_many([address]))
    return int(codes[0])


@pytest.mark.usefixtures("database")
class TestNarrowing:
    def test_an_address_with_township_and_community_reaches_the_village_code(self) -> None:
        code = _narrowed("宁夏回族自治区银川市金凤区长城中路街道亲水阳光社区沈阳路284号")
        assert code // 1000 * 1000 == 640106003000
        assert code % 1000

    def test_it_says_the_same_however_the_address_is_written(self) -> None:
        plain = _narrowed("宁夏回族自治区银川市金凤区长城中路街道亲水阳光社区沈阳路284号")
        assert _narrowed("金凤区 长城中路街道 亲水阳光社区 沈阳路２８４號") == plain

    def test_a_township_without_a_known_village_is_as_far_as_it_goes(self) -> None:
        assert _narrowed("银川市金凤区长城中路街道无此社区沈阳路284号") == 640106003000

    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "沈阳路284号",
            "长城中路街道亲水阳光社区",  # no county in front
            "银川市兴庆区长城中路街道亲水阳光社区",  # another county than the one it stands in
            "银川市金凤区沈阳路284号长城中路街道",  # the name must follow the county
            "银川市金凤区长城中路284号",  # a street that begins like the township
        ],
    )
    def test_an_address_that_does_not_name_it_letter_for_letter_stays_at_the_county(self, address: str | None) -> None:
        assert _narrowed(address) == JINFENG

    def test_the_same_words_in_another_county_lead_nowhere(self) -> None:
        words = "银川市金凤区长城中路街道亲水阳光社区沈阳路284号"
        assert _narrowed(words, YUANZHOU) == YUANZHOU

    def test_a_division_given_below_the_county_is_left_alone(self) -> None:
        assert _narrowed("银川市金凤区长城中路街道亲水阳光社区", 640106001000) == 640106001000
