"""The same address compares equal however it is written, and two places never become one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addresses import DwellingPlace, normalise, normalise_many, split_dwelling, split_dwellings

STANDARD = "宁夏回族自治区银川市金凤区长城中路街道亲水阳光社区沈阳路284号尚都公馆10号楼"
NORMAL = "银川市金凤区长城中路街道亲水阳光社区沈阳路284号尚都公馆10号楼"
PIECES = st.sampled_from(
    [
        *"宁夏银川市金凤区北京路号幢栋楼座室层门单元社区院組樓號乙é²①",
        *"#-－—，（）() \n\t_０２９0129AaＤ零〇一二三十百千两廿",
        "号楼",
        "宁夏回族自治区",
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12)


@pytest.mark.parametrize(
    "written",
    [
        STANDARD,
        STANDARD.removeprefix("宁夏回族自治区"),
        STANDARD.replace("宁夏回族自治区", "宁夏"),
        STANDARD.replace("10", "１０").replace("284", "２８４"),
        STANDARD.replace("284号", "二百八十四號").replace("10号楼", "十號樓"),
        STANDARD.replace("10号楼", "10幢"),
        STANDARD.replace("10号楼", "十栋"),
        STANDARD.replace("10号楼", "10#"),
        STANDARD.replace("10号楼", "10＃楼"),
        f" {STANDARD.replace('区', '区，').replace('道', '道 ')}。",
    ],
)
def test_one_address_is_written_one_way(written: str) -> None:
    assert normalise(written) == NORMAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("北京路12 3号楼", "北京路123号楼"),
        ("北园西巷289-2号", "北园西巷2892号"),
        ("二二路3号", "22路3号"),
        ("第一社区3号", "第1社区3号"),
        ("三官一巷3号", "三官1巷3号"),
        ("乙155号", "155号"),
        ("宁夏路5号", "路5号"),
        ("书香苑D座", "书香苑D号楼"),
        ("书香苑一百五号", "书香苑105号"),
        ("书香苑一百五号", "书香苑150号"),
    ],
)
def test_what_could_be_two_places_stays_two(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(
    ("numeral", "digits"),
    [
        ("十", 10),
        ("二十一", 21),
        ("一百零五", 105),
        ("三百七十三", 373),
        ("一〇二", 102),
        ("一千二百", 1200),
        ("一千零二十", 1020),
    ],
)
def test_a_chinese_house_number_reads_as_digits(numeral: str, digits: int) -> None:
    assert normalise(f"北京路{numeral}号") == f"北京路{digits}号"


@given(TEXTS)
@settings(deadline=None)
def test_normal_writing_is_normal_already(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.lists(st.none() | TEXTS, max_size=6))
@settings(deadline=None)
def test_many_addresses_come_out_as_each_would_alone(texts: list[str | None]) -> None:
    assert normalise_many(texts) == [normalise(text) or None if text else None for text in texts]


@given(st.lists(st.integers(0, 999).map(str), min_size=2, max_size=4), st.sampled_from([" ", "，", "、", "\n", "/"]))
@settings(deadline=None)
def test_two_numbers_never_grow_together(numbers: list[str], gap: str) -> None:
    assert re.findall("[0-9]+", normalise(gap.join(numbers) + "号")) == numbers


@pytest.mark.parametrize(
    ("end", "place"),
    [
        ("", (None, None, None)),
        ("2单元501室", (2, None, "501")),
        ("二单元五零一室", (2, None, "501")),
        ("2单元5层501", (2, 5, "501")),
        ("2-501", (2, None, "501")),
        ("501室", (None, None, "501")),
        ("501", (None, None, "501")),
        ("1门1102室", (1, None, "1102")),
        ("5楼501号", (None, 5, "501")),
        ("2单元2601号", (2, None, "2601")),
        ("12单元501A室", (12, None, "501A")),
        ("3单元", (3, None, None)),
    ],
)
def test_the_dwelling_comes_off_the_end(end: str, place: tuple[int | None, int | None, str | None]) -> None:
    assert split_dwelling(STANDARD + end) == DwellingPlace(NORMAL, *place)


@pytest.mark.parametrize(
    "building",
    ["北园西巷289-2号", "张易镇上马泉村2队20号", "尚都花园10-3-502", "北京路3", "万寿路326号附4号", "289-2单元501"],
)
def test_digits_of_the_building_stay_with_it(building: str) -> None:
    assert split_dwelling(building) == DwellingPlace(building)


@given(TEXTS)
@settings(deadline=None)
def test_a_split_loses_nothing_but_words_for_rooms(text: str) -> None:
    place = split_dwelling(text)
    rest = normalise(text).removeprefix(place.building)
    told = [str(part) for part in (place.entrance, place.floor) if part is not None] + [place.room or ""]
    assert re.sub("单元|[层楼门室户号-]", "", rest).lstrip("0").replace("0", "") == "".join(told).lstrip("0").replace(
        "0", ""
    )


def test_many_dwellings_split_as_each_would_alone() -> None:
    assert split_dwellings([NORMAL + "2-501", None]) == [DwellingPlace(NORMAL, 2, None, "501"), None]
