"""Article 3 over every county, every code there ever was and every branch, against a table written by hand."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import reference
from gis.categories import COUNTIES, URBAN_DISTRICTS, CodeChange, Ruling, categories, category, county_code
from gis.terms import Category, CategoryReason, CitizenshipClass

ON = dt.date(2026, 11, 23)
CHANGES = [CodeChange(row.year, row.change, row.old_code, row.new_code) for row in reference.changes()]
MAINLAND = CitizenshipClass.MAINLAND

CITIES = {
    "银川": ({640104, 640105, 640106}, {640121, 640122, 640181}),
    "石嘴山": ({640202, 640205}, {640221}),
    "吴忠": ({640302, 640303}, {640323, 640324, 640381}),
    "固原": ({640402}, {640422, 640423, 640424, 640425}),
    "中卫": ({640502}, {640521, 640522}),
}
"""Each city's urban districts, and its counties and county-level cities, from the list of 2026."""
RETIRED = {
    640102: {640104, 640105, 640106},  # 城区, dissolved in 2002 when 兴庆, 西夏 and 金凤 were set up
    640103: {640104, 640105, 640106},  # 新城区, likewise
    640204: {640202},
    640211: {640205},  # 石嘴山郊区, 1987 惠农县, 2003 惠农区
    640222: {640221},
    640223: {640205},
    640321: {640502},
    640322: {640521},
    640382: {640181},
    640421: {640522},
    642101: {640302},  # 吴忠市 of county rank: not a 市辖区 code, though it ends in 01
    642102: {640381},
    642103: {640181},
    642121: {640302},
    642122: {640381},
    642123: {640502},
    642124: {640521},
    642125: {640181},
    642126: {640323},
    642127: {640324},
    642221: {640402},
    642222: {640522},
    642223: {640422},
    642224: {640423},
    642225: {640424},
    642226: {640425},
}
MEANINGS = {code: {code} for districts, counties in CITIES.values() for code in districts | counties} | RETIRED


def expected(hukou: int, residence: int) -> Category:
    """Return what Article 3 says of a code of Ningxia, by the table above alone."""
    answers = set()
    for county in MEANINGS[hukou]:
        same_city = any({county, residence} <= districts for districts, _ in CITIES.values())
        answers.add(Category.PERMANENT if county == residence or same_city else Category.FLOATING)
    return answers.pop() if len(answers) == 1 else Category.UNDETERMINED


def test_the_list_of_counties_is_that_of_the_bundled_divisions() -> None:
    listed = {row.code // 10**6 for row in reference.divisions() if row.level == "county"}
    assert listed - {999_999} == COUNTIES
    assert {code for districts, _ in CITIES.values() for code in districts} == URBAN_DISTRICTS


def test_the_table_of_changes_knows_48_codes_of_which_26_are_retired() -> None:
    codes = {code // 10**6 for change in CHANGES for code in (change.old_code, change.new_code) if code}
    ever = {code for code in codes | COUNTIES if code % 100}
    assert (len(ever), ever - COUNTIES) == (48, set(RETIRED))


@pytest.mark.parametrize("hukou", sorted(MEANINGS))
def test_every_code_gives_the_expected_category_in_every_county(hukou: int) -> None:
    for residence in COUNTIES:
        for as_of in (None, 1980, 1987, 1999, 2002, 2010, 2026):
            ruling = category(hukou, residence, ON, CHANGES, as_of=as_of, citizenship=MAINLAND)
            assert ruling.category is expected(hukou, residence), (residence, as_of)


@given(
    st.sampled_from(sorted(MEANINGS)) | st.integers(110_000, 829_999),
    st.sampled_from(sorted(COUNTIES)),
    st.none() | st.integers(1950, 2030),
    st.sampled_from([None, *CitizenshipClass]),
)
@settings(deadline=None)
def test_every_case_has_one_ruling_and_one_reason(
    hukou: int, residence: int, as_of: int | None, citizenship: CitizenshipClass | None
) -> None:
    ruling = category(hukou, residence, ON, CHANGES, as_of=as_of, citizenship=citizenship)
    assert categories([(hukou, as_of, citizenship, residence)] * 2, ON, CHANGES) == [ruling, ruling]
    if citizenship in {CitizenshipClass.FOREIGN, CitizenshipClass.HMT}:
        assert ruling.category is Category.OTHER
    elif hukou in MEANINGS:
        assert ruling.category is expected(hukou, residence)
    else:
        assert ruling.category in {Category.FLOATING, Category.UNDETERMINED}


@pytest.mark.parametrize(
    ("hukou", "residence", "ruling"),
    [
        (640106, 640106, (Category.PERMANENT, CategoryReason.SAME_COUNTY)),
        (640104, 640106, (Category.PERMANENT, CategoryReason.URBAN_DISTRICTS_OF_ONE_CITY)),
        (640103, 640104, (Category.PERMANENT, CategoryReason.URBAN_DISTRICTS_OF_ONE_CITY)),
        (640181, 640104, (Category.FLOATING, CategoryReason.OTHER_COUNTY)),
        (640104, 640202, (Category.FLOATING, CategoryReason.OTHER_COUNTY)),
        (640381, 640302, (Category.FLOATING, CategoryReason.OTHER_COUNTY)),
        (610102, 640104, (Category.FLOATING, CategoryReason.OUTSIDE_NINGXIA)),
        (110000, 640104, (Category.FLOATING, CategoryReason.OUTSIDE_NINGXIA)),
        (640101, 640104, (Category.UNDETERMINED, CategoryReason.CITY_LEVEL_CODE)),
        (640300, 640302, (Category.UNDETERMINED, CategoryReason.CITY_LEVEL_CODE)),
        (642100, 640302, (Category.UNDETERMINED, CategoryReason.CITY_LEVEL_CODE)),
        (640000, 640104, (Category.UNDETERMINED, CategoryReason.CITY_LEVEL_CODE)),
        (640199, 640104, (Category.UNDETERMINED, CategoryReason.HUKOU_UNKNOWN)),
        (990102, 640104, (Category.UNDETERMINED, CategoryReason.HUKOU_UNKNOWN)),
        (None, 640104, (Category.UNDETERMINED, CategoryReason.HUKOU_UNKNOWN)),
        (999_999, 999_999, (Category.PERMANENT, CategoryReason.SAME_COUNTY)),
        (640104, 999_999, (Category.FLOATING, CategoryReason.OTHER_COUNTY)),
        (999_999, 640104, (Category.FLOATING, CategoryReason.OUTSIDE_NINGXIA)),
        (640106, 640106_000_000, (Category.PERMANENT, CategoryReason.SAME_COUNTY)),
    ],
)
def test_each_branch_of_the_rule_says_why(
    hukou: int | None, residence: int, ruling: tuple[Category, CategoryReason]
) -> None:
    assert category(hukou, residence, ON, CHANGES, citizenship=MAINLAND) == Ruling(*ruling)


def test_a_code_split_between_cities_is_undetermined_only_where_the_answers_differ() -> None:
    split = [CodeChange(1990, "撤销", 640224, 640221), CodeChange(1990, "撤销", 640224, 640402)]
    ambiguous = (Category.UNDETERMINED, CategoryReason.RETIRED_CODE_AMBIGUOUS)
    assert category(640224, 640221, ON, split) == category(640224, 640402, ON, split) == ambiguous
    assert category(640224, 640104, ON, split) == (Category.FLOATING, CategoryReason.OTHER_COUNTY)


def test_a_reused_code_is_read_as_of_its_date() -> None:
    reused = [CodeChange(2005, "撤销", 640221, 640402), CodeChange(2006, "新设", None, 640221)]
    assert category(640221, 640402, ON, reused, as_of=2000).category is Category.PERMANENT
    assert category(640221, 640402, ON, reused, as_of=2010).category is Category.FLOATING
    assert category(640221, 640402, ON, reused).category is Category.FLOATING
    same_year = category(640221, 640402, ON, reused, as_of=2005)
    assert same_year == (Category.UNDETERMINED, CategoryReason.RETIRED_CODE_AMBIGUOUS)


def test_a_change_of_the_future_holds_from_its_year_on() -> None:
    changes = [*CHANGES, CodeChange(2030, "同名改码", 640122, 640107)]
    assert category(640122, 640122, dt.date(2029, 12, 31), changes).category is Category.PERMANENT
    assert category(640122, 640107, dt.date(2030, 1, 1), changes).category is Category.PERMANENT


@pytest.mark.parametrize(
    ("written", "code"),
    [("640106", 640106), ("640106001", 640106), ("640106001002", 640106), (" 640106 ", 640106)]
    + [(bad, None) for bad in ("", None, "6401", "64010", "640106.0", "宁夏", "６４０１０６", "6401060011")],
)
def test_only_codes_of_6_9_or_12_digits_are_read(written: str | None, code: int | None) -> None:
    assert county_code(written) == code
