"""Addresses as people write them, and what each of their elements is."""

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import reference
from gis.addresses import Address, parse, write
from gis.addresses.cleaning import clean, clean_many
from gis.addresses.gazetteers import Gazetteer
from gis.register.matching import naming

GAZETTEER: Gazetteer = naming.gazetteer(reference.divisions(), reference.changes())
STREET = {"place": "康平路"}
ESTATE = {"compound": "书香苑"}

# what stands before: as written, and the divisions it states
PREFIXES: list[tuple[str, dict[str, str]]] = [
    ("宁夏回族自治区银川市金凤区", {"prefecture": "银川市", "county": "金凤区"}),
    ("宁夏银川市金凤区", {"prefecture": "银川市", "county": "金凤区"}),
    ("宁夏自治区银川金凤区", {"prefecture": "银川", "county": "金凤区"}),
    ("寧夏回族自治區銀川市金鳳區", {"prefecture": "银川市", "county": "金凤区"}),
    ("金凤区", {"county": "金凤区"}),
    ("金凤区金凤区", {"county": "金凤区"}),
    ("银川市郊区金凤区", {"prefecture": "银川市", "county": "金凤区"}),
    ("西夏区朔方路街道217社区居委会", {"county": "西夏区", "township": "朔方路街道", "community": "217社区"}),
    ("宁夏 银川市　金凤区，", {"prefecture": "银川市", "county": "金凤区"}),
    ("银川市、金凤区、", {"prefecture": "银川市", "county": "金凤区"}),
    ("现住址：银川市金凤区", {"prefecture": "银川市", "county": "金凤区"}),
    ("住址:金凤区", {"county": "金凤区"}),
    ("暂住地：金凤区", {"county": "金凤区"}),
    ("租住于金凤区", {"county": "金凤区"}),
    ("（金凤区）", {"county": "金凤区"}),
    ("固原市原州区", {"prefecture": "固原市", "county": "原州区"}),
    ("固原地区固原县", {"prefecture": "固原地区", "county": "固原县"}),
    ("石嘴山市大武口区", {"prefecture": "石嘴山市", "county": "大武口区"}),
    ("海原县三河镇", {"county": "海原县", "township": "三河镇"}),
    ("海原县三河乡", {"county": "海原县", "township": "三河镇"}),
    ("金凤区长城中路街道", {"county": "金凤区", "township": "长城中路街道"}),
    ("金凤区长城中路街道办", {"county": "金凤区", "township": "长城中路街道"}),
    ("金凤区长城中路街道办事处", {"county": "金凤区", "township": "长城中路街道"}),
    ("灵武市城区街道", {"county": "灵武市", "township": "城区街道"}),
]

# along a street, with a single building at the number
HOUSES: list[tuple[str, dict[str, str]]] = [
    ("12号", {"number": "12"}),
    ("１２号", {"number": "12"}),
    ("十二号", {"number": "12"}),
    ("一百二十八号", {"number": "128"}),
    ("一二八号", {"number": "128"}),
    ("廿三号", {"number": "23"}),
    ("三百零五号", {"number": "305"}),
    ("三百〇五号", {"number": "305"}),
    ("12#", {"number": "12"}),
    ("12＃", {"number": "12"}),
    ("12号院", {"number": "12"}),
    ("12号大院", {"number": "12"}),
    ("12號", {"number": "12"}),
    ("12号门牌", {"number": "12"}),
    ("甲12号", {"number": "甲12"}),
    ("甲字12号", {"number": "甲12"}),
    ("乙12号", {"number": "乙12"}),
    ("12甲号", {"number": "甲12"}),
    ("12-1号", {"number": "12-1"}),
    ("12—1号", {"number": "12-1"}),
    ("12之1号", {"number": "12-1"}),
    ("12号附3号", {"number": "12附3"}),
    ("12附3号", {"number": "12附3"}),
]

# a dwelling after a house number or a building
DWELLINGS: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("2单元501室", {"entrance": "2", "room": "501"}),
    ("2单元501", {"entrance": "2", "room": "501"}),
    ("2单元501户", {"entrance": "2", "room": "501"}),
    ("2单元501房", {"entrance": "2", "room": "501"}),
    ("第2单元501室", {"entrance": "2", "room": "501"}),
    ("二单元五零一室", {"entrance": "2", "room": "501"}),
    ("二门五〇一", {"entrance": "2", "room": "501"}),
    ("2门501室", {"entrance": "2", "room": "501"}),
    ("2号单元501室", {"entrance": "2", "room": "501"}),
    ("2单元5层501室", {"entrance": "2", "floor": "5", "room": "501"}),
    ("2单元5楼501室", {"entrance": "2", "floor": "5", "room": "501"}),
    ("2单元五楼501", {"entrance": "2", "floor": "5", "room": "501"}),
    ("2单元5F501", {"entrance": "2", "floor": "5", "room": "501"}),
    ("2单元1802室", {"entrance": "2", "room": "1802"}),
    ("2单元501A室", {"entrance": "2", "room": "501A"}),
    ("贰单元伍零壹室", {"entrance": "2", "room": "501"}),
    ("2单元501室（租住）", {"entrance": "2", "room": "501"}),
    ("2单元501室，临时居住", {"entrance": "2", "room": "501"}),
    ("2单元501室(超市对面)", {"entrance": "2", "room": "501"}),
]

# buildings inside a compound
BUILDINGS: list[tuple[str, dict[str, str]]] = [
    ("3号楼", {"building": "3"}),
    ("3幢", {"building": "3"}),
    ("三栋", {"building": "3"}),
    ("3座", {"building": "3"}),
    ("3#楼", {"building": "3"}),
    ("3号搂", {"building": "3"}),
    ("第3栋", {"building": "3"}),
    ("十五号楼", {"building": "15"}),
    ("叁号楼", {"building": "3"}),
    ("A座", {"building": "A"}),
    ("b栋", {"building": "B"}),
    ("3号公寓楼", {"building": "3"}),
    ("东区3号楼", {"zone": "东区", "building": "3"}),
    ("二期3号楼", {"zone": "2期", "building": "3"}),
    ("2期3号楼", {"zone": "2期", "building": "3"}),
    ("A区3号楼", {"zone": "A区", "building": "3"}),
    ("a区3幢", {"zone": "A区", "building": "3"}),
    ("三区3号楼", {"zone": "3区", "building": "3"}),
]

# whole tails that stand for themselves
TAILS: list[tuple[str, dict[str, str]]] = [
    ("书香苑3-2-501", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑３－２－５０１", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3-2-501室", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑三-二-五零一", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3/2/501", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3-2-5-501", ESTATE | {"building": "3", "entrance": "2", "floor": "5", "room": "501"}),
    ("书香苑F-1-601", ESTATE | {"building": "F", "entrance": "1", "room": "601"}),
    ("书香苑3号楼2-501", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3#2-501", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3-501", ESTATE | {"building": "3", "room": "501"}),
    ("书香苑3号2单元501", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3楼2单元501室", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3号楼501", ESTATE | {"building": "3", "room": "501"}),
    ("书香苑3号楼1单二零三", ESTATE | {"building": "3", "entrance": "1", "room": "203"}),
    (
        "康平路12号书香苑3号楼2单元501室",
        STREET | ESTATE | {"number": "12", "building": "3", "entrance": "2", "room": "501"},
    ),
    ("康平路12号院3号楼2单元501室", STREET | {"number": "12", "building": "3", "entrance": "2", "room": "501"}),
    ("康平路12号二期3号楼", STREET | {"number": "12", "zone": "2期", "building": "3"}),
    ("康平路12号A区3-2-501", STREET | {"number": "12", "zone": "A区", "building": "3", "entrance": "2", "room": "501"}),
    ("康平路12书香苑3号楼", STREET | ESTATE | {"number": "12", "building": "3"}),
    ("康平路三百零五书香苑3号楼", STREET | ESTATE | {"number": "305", "building": "3"}),
    ("康平路12#3号楼1单元102室", STREET | {"number": "12", "building": "3", "entrance": "1", "room": "102"}),
    ("康平路12号附3号102号", STREET | {"number": "12附3", "room": "102"}),
    ("康平路12号附3", STREET | {"number": "12附3"}),
    ("康平路12号102号", STREET | {"number": "12", "room": "102"}),
    ("城市壹号南区15号楼", {"compound": "城市壹号", "zone": "南区", "building": "15"}),
    ("城市壹号公馆15号楼", {"compound": "城市壹号公馆", "building": "15"}),
    ("康平路壹号", STREET | {"number": "1"}),
    ("书香苑3号楼第二门洞五零一", ESTATE | {"building": "3", "entrance": "2", "room": "501"}),
    ("书香苑3号楼2单元5楼东户", ESTATE | {"building": "3", "entrance": "2", "floor": "5", "unread": "东户"}),
    (
        "中建五局书香苑3期项目部生活区2号板房",
        {"compound": "中建五局书香苑三期项目部生活区", "building": "2", "kind": "S"},
    ),
    ("三官一巷17号", {"place": "三官一巷", "number": "17"}),
    ("草巷二巷三十四号院", {"place": "草巷二巷", "number": "34"}),
    ("二道南巷9号", {"place": "二道南巷", "number": "9"}),
    ("第一中学家属院3号楼", {"compound": "第一中学家属院", "building": "3"}),
    (
        "中铁十二局高速项目部生活区3号板房2室",
        {"compound": "中铁十二局高速项目部生活区", "building": "3", "kind": "S", "room": "2"},
    ),
    ("高速项目部生活区3排板房12室", {"compound": "高速项目部生活区", "building": "3", "kind": "P", "room": "12"}),
    (
        "高速项目部工棚3号集装箱1层102",
        {"compound": "高速项目部工棚", "building": "3", "kind": "S", "floor": "1", "room": "102"},
    ),
    ("高速项目部生活区一号板房四房间", {"compound": "高速项目部生活区", "building": "1", "kind": "S", "room": "4"}),
]

RURAL = [
    (f"{village}{group}{number}", {"group": "3", "number": "12"})
    for village, group, number in itertools.product(
        ("新丰村", "新丰村委会", "新丰村民委员会", "新丰行政村"),
        ("三组", "3组", "三队", "3社", "三村民小组", "第三组", "第三生产队", "三小组"),
        ("12号", "十二号", "12#", "１２号院"),
    )
]


def expected(*parts: dict[str, str]) -> Address:
    """Return the address that states exactly these elements."""
    stated: dict[str, str] = {}
    for part in parts:
        stated |= part
    return Address(**stated)


@pytest.mark.parametrize(("written", "divisions"), PREFIXES)
@pytest.mark.parametrize(("tail", "elements"), TAILS)
def test_divisions_and_what_follows_are_told_apart(
    written: str, divisions: dict[str, str], tail: str, elements: dict[str, str]
) -> None:
    assert parse(written + tail, GAZETTEER) == expected(divisions, elements)


@pytest.mark.parametrize(("house", "number"), HOUSES)
@pytest.mark.parametrize(("dwelling", "inside"), DWELLINGS)
def test_a_house_number_is_read_in_all_its_writings(
    house: str, number: dict[str, str], dwelling: str, inside: dict[str, str]
) -> None:
    assert parse(f"金凤区康平路{house}{dwelling}", GAZETTEER) == expected({"county": "金凤区"}, STREET, number, inside)


@pytest.mark.parametrize(("building", "stated"), BUILDINGS)
@pytest.mark.parametrize(("dwelling", "inside"), DWELLINGS)
def test_a_building_of_a_compound_is_read_in_all_its_writings(
    building: str, stated: dict[str, str], dwelling: str, inside: dict[str, str]
) -> None:
    assert parse(f"金凤区书香苑{building}{dwelling}", GAZETTEER) == expected(
        {"county": "金凤区"}, ESTATE, stated, inside
    )


@pytest.mark.parametrize(("written", "elements"), RURAL)
def test_village_group_and_house_are_read_in_all_their_writings(written: str, elements: dict[str, str]) -> None:
    divisions = {"county": "金凤区", "township": "丰登镇", "community": "新丰村"}
    assert parse(f"金凤区丰登镇{written}", GAZETTEER) == expected(divisions, elements)


@pytest.mark.parametrize("written", ["康平路3号（对面）", "书香苑3号楼(附近)", "书香苑3号楼【旁边】"])
def test_a_remark_that_means_the_place_beside_leaves_its_mark(written: str) -> None:
    assert "※" in clean(written)


@pytest.mark.parametrize("blank", ["", " ", "出租屋", "住址：", "（）", "，。", "\n\n", "租住"])
def test_a_row_with_nothing_in_it_leaves_its_neighbours_alone(blank: str) -> None:
    assert clean_many(["金凤区康平路3号", blank, "原州区书香苑3号楼"])[::2] == ["金凤区康平路3号", "原州区书香苑3号楼"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("书香苑12 3号楼", "书香苑123号楼"),
        ("康平路12-1号", "康平路121号"),
        ("康平路12号附1号", "康平路12-1号"),
        ("康平路甲12号", "康平路12号"),
        ("书香苑一百五号楼", "书香苑105号楼"),
        ("书香苑501、502室", "书香苑501室"),
    ],
)
def test_what_could_be_two_places_stays_two(one: str, other: str) -> None:
    assert parse(one, GAZETTEER) != parse(other, GAZETTEER)


NUMBERS = st.integers(1, 999).map(str)
STREETS = st.sampled_from(["康平路", "三官一巷", "文昌南街", "草巷二巷", "迎宾大道", "民生东巷"])
COMPOUNDS = st.sampled_from(["书香苑", "第一中学家属院", "悦海新城", "宏图公寓", "天鹅湖里"])
HOUSE_NUMBERS = st.builds(
    lambda before, number, after: before + number + after,
    st.sampled_from(["", "甲", "乙"]), NUMBERS, st.sampled_from(["", "-1", "附2"]),
).filter(lambda number: not (number[0] in "甲乙" and number[-2] in "-附"))  # fmt: skip
DIVISIONS = st.sampled_from(
    [
        ("银川市", "金凤区", "长城中路街道", "五里水乡社区"),
        ("固原市", "原州区", "北塬街道", "文化巷社区"),
        ("", "海原县", "三河镇", ""),
        ("", "", "", ""),
    ]
)
INSIDE: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"entrance": st.integers(1, 12).map(str), "room": st.integers(101, 3320).map(str)},
        optional={"floor": st.integers(1, 33).map(str)},
    ),
)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    """An address with elements that make sense together."""
    divisions = draw(DIVISIONS)
    stated = draw(INSIDE)
    kind = draw(st.sampled_from(["house", "estate", "both", "village"]))
    if kind == "village":
        return Address("", "金凤区", "丰登镇", "新丰村", group=draw(NUMBERS), number=draw(NUMBERS))
    if kind in {"house", "both"}:
        stated |= {"place": draw(STREETS), "number": draw(HOUSE_NUMBERS)}
    if kind in {"estate", "both"}:
        stated |= {
            "compound": draw(COMPOUNDS),
            "zone": draw(st.sampled_from(["", "东区", "A区", "2期"])),
            "building": draw(st.one_of(NUMBERS, st.sampled_from(string.ascii_uppercase))),
        }
    return Address(*divisions, **stated)


@given(addresses())
def test_what_is_written_the_standard_way_reads_as_it_was(address: Address) -> None:
    assert parse(write(address), GAZETTEER) == address


PIECES = st.sampled_from(
    [*"银川金凤区康平路12号楼-之附甲单元层室#＃、，（）()【】※\n\t 〇零廿百千A①", "街道办", "社区", "3-2-501"]
)


def test_an_address_that_breaks_off_anywhere_is_read() -> None:
    for whole in ("宁夏回族自治区吴忠市利通区金积镇", "宁夏银川灵武机场二巷", "固原市彭阳县白阳镇", "石嘴山市大武口区"):
        for end in range(len(whole) + 1):
            read = GAZETTEER.read(whole[:end])
            assert whole[:end].endswith(read.rest)


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=25).map("".join)))
def test_no_text_is_too_broken_to_be_read(text: str) -> None:
    assert isinstance(parse(text, GAZETTEER), Address)


@given(st.lists(st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=8).map("".join)), max_size=8))
def test_many_are_cleaned_as_each_alone(texts: list[str]) -> None:
    assert clean_many(texts) == [clean(text) for text in texts]
