"""The right building or a person: what is linked, what never is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import reference
from data.fiction import handwriting, settlements
from gis.addresses.cleaning import clean
from gis.register.matching import index, naming
from gis.register.matching.deciding import Matcher, Verdict
from gis.terms import MatchGrade, MatchOutcome, MatchReason

CITY = "宁夏回族自治区银川市金凤区长城中路街道五里水乡社区"
OTHER = "宁夏回族自治区固原市原州区北塬街道文化巷社区"
VILLAGE = "宁夏回族自治区银川市金凤区丰登镇新丰村"
REGISTER = {
    "101": f"{CITY}康平路12号书香苑3号楼",
    "102": f"{CITY}康平路12号书香苑5号楼",
    "103": f"{CITY}康平路14号",
    "104": f"{CITY}康平路16-1号",
    "105": f"{CITY}康平路161号",
    "106": f"{CITY}文昌南街20号悦海新城东区1号楼",
    "107": f"{CITY}文昌南街20号悦海新城西区1号楼",
    "108": f"{CITY}文昌北街20号",
    "109": f"{OTHER}民生路7号翠柳华府2号楼",
    "110": f"{OTHER}民生路9号书香苑3号楼",
    "111": f"{VILLAGE}三组12号",
    "112": f"{VILLAGE}四组12号",
    "113": f"{CITY}中铁十二局隧道项目部生活区3号板房",
    "114": f"{CITY}中铁十二局隧道项目部生活区3排板房",
    "115": f"{CITY}正源街30号长河雅居4号楼",
    "116": f"{CITY}官井巷40号",
    "117": f"{OTHER}正源街30号",
    "118": f"{CITY}正源街32号独栋公寓1号楼",
    "119": f"{CITY}正源街50号城市壹号南区15号楼",
    "120": f"{CITY}中建五局书香苑三期项目部生活区2号板房",
    "121": f"{CITY}永宁街8号南苑华府6号楼",
    "122": f"{CITY}永宁街9号贺兰华府6号楼",
    "123": f"{CITY}永宁街10号长信都一期6号楼",
    "124": f"{CITY}永宁街10号长信都二期6号楼",
    "126": "宁夏回族自治区吴忠市青铜峡市邵岗镇同乐村11号",
    "127": "宁夏回族自治区吴忠市青铜峡市邵岗镇玉泉村一组11号",
    "128": "宁夏回族自治区吴忠市青铜峡市瞿靖镇玉泉村11号",
    "125": "宁夏回族自治区银川市西夏区朔方路街道217社区育民支路137号玉皇半岛佳园C区3号楼",
}
GONE = {"115", "124"}
CHANGES = [naming.NameChange(640106, "康平路", "红旗路")]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    buildings = [
        index.Building(number, address, number not in GONE, 4, 18, 3, 106.2 + int(number) / 1000, 38.4)
        for number, address in REGISTER.items()
    ]
    gazetteer = naming.gazetteer(reference.divisions(), reference.changes())
    return Matcher(index.build(buildings, gazetteer, CHANGES))


def decided(matcher: Matcher, text: str, point: tuple[float, float] | None = None) -> tuple[str, str]:
    """Return the building linked and the room, or the outcome and its reason."""
    verdict: Verdict = matcher.decide(clean(text), point)
    if verdict.outcome is MatchOutcome.LINKED:
        return matcher.index.building_no[verdict.row], verdict.room
    return verdict.outcome.value, str(verdict.reason)


@pytest.mark.parametrize(
    ("written", "number", "room"),
    [
        (f"{CITY}康平路12号书香苑3号楼2单元501室", "101", "2-501"),
        ("金凤区书香苑3号楼2单元501室", "101", "2-501"),
        ("金凤区书香苑3-2-501", "101", "2-501"),
        ("金凤区书香苑小区3幢2门5楼501", "101", "2-501"),
        ("银川市金凤区康平路12号院3号楼2-501", "101", "2-501"),
        ("金凤区康平路书香苑3号楼2单元501", "101", "2-501"),
        ("原州区书香苑3#2-501", "110", "2-501"),
        ("金凤区康平路14号2楼203号", "103", "203"),
        ("金凤区康平路16之1号", "104", ""),
        ("金凤区文昌南街20号悦海新城东区1号楼", "106", ""),
        ("金凤区丰登乡新丰村委会三队12号", "111", ""),
        ("金凤区新丰村3组12", "111", ""),
        ("金凤区隧道项目部3号板房2室", "113", "2"),
        ("金凤区中铁十二局隧道工地生活区3排板房2室", "114", "2"),
        ("银川市新城区书香苑3号楼", "101", ""),
        ("固原地区固原县翠柳华府2号楼", "109", ""),
        ("（金凤区）书香苑3号楼1单元101室（租住）", "101", "1-101"),
        ("银川市金凤区银川市金凤区书香苑3号楼", "101", ""),
        ("金凤区康平路16号-1", "104", ""),
        ("金凤区康平路14号5层3室", "103", "503"),
        ("金凤区丰登镇新丰村第三生产队12号", "111", ""),
        ("金凤区丰登镇新丰村村民民委员会三队12号", "111", ""),
        ("金凤区城市壹号南区15号楼二门洞五零二", "119", "2-502"),
        ("金凤区书香苑3号楼第二门洞五零一", "101", "2-501"),
        ("金凤区中建五局书香苑3期工程项目部生活区2号板房3室", "120", "3"),
        ("银川南苑华府6号楼", "121", ""),
        ("银川市金凤区贺兰华府6号楼", "122", ""),
        ("银川市贺兰华府6号楼", "122", ""),
        ("西夏区朔方路街道217社区居委会育民支路一百三十七号玉皇半岛佳园c区3-1-201", "125", "1-201"),
        ("银川市郊区金凤区书香苑3号楼", "101", ""),
    ],
)
def test_one_building_that_agrees_with_everything_is_linked(
    matcher: Matcher, written: str, number: str, room: str
) -> None:
    assert decided(matcher, written) == (number, room)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("原州区翠柳划府2号楼", "109"),
        ("原州区翠翠柳华府2号楼", "109"),
        ("原州区柳翠华府2号楼", "109"),
        ("原州区北塬街道文化巷社取民生路7号翠柳华府2号楼", "109"),
        ("金凤区五里畔水乡社区官井巷40号", "116"),
        ("金凤区丰登镇新丰行在村三组12号", "111"),
        ("金凤区长城中路街道五里水乡社区文昌街20号悦海新城东区1号楼", "106"),
        ("金凤区长城中路街道五里水乡社区官井巷巷40号", "116"),
    ],
)
def test_a_slip_in_a_name_is_forgiven_and_said(matcher: Matcher, written: str, number: str) -> None:
    verdict = matcher.decide(clean(written))
    assert (verdict.outcome, verdict.grade) == (MatchOutcome.LINKED, MatchGrade.TYPO)
    assert matcher.index.building_no[verdict.row] == number


def test_a_former_name_leads_to_the_one_in_force_and_is_said(matcher: Matcher) -> None:
    verdict = matcher.decide(clean("金凤区红旗路14号"))
    assert (matcher.index.building_no[verdict.row], verdict.grade) == ("103", MatchGrade.FORMER)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("书香苑3号楼", MatchReason.SEVERAL_BUILDINGS),
        ("金凤区悦海新城1号楼", MatchReason.SEVERAL_BUILDINGS),
        ("西夏区书香苑3号楼", MatchReason.DIVISION_CONTRADICTS),
        ("石嘴山市金凤区书香苑3号楼", MatchReason.DIVISION_CONTRADICTS),
        ("（平罗县）翠柳华府2号楼", MatchReason.DIVISION_CONTRADICTS),
        ("金凤区丰登镇康平路14号", MatchReason.DIVISION_CONTRADICTS),
        ("金凤区书香苑2单元501室", MatchReason.SEVERAL_BUILDINGS),
        ("金凤区正源街32号独栋公寓", MatchReason.BUILDING_NUMBER_MISSING),
        ("金凤区新丰村12号", MatchReason.SEVERAL_BUILDINGS),
        ("金凤区长河雅居4号楼", MatchReason.BUILDING_NOT_ACTIVE),
        ("金凤区长信都6号楼", MatchReason.SEVERAL_BUILDINGS),  # the other of them stood in another phase
        ("金凤区书香苑3*号楼", MatchReason.PLACE_BESIDE),
        ("金凤区书香苑3号楼9单元501室", MatchReason.ROOM_NOT_POSSIBLE),
        ("金凤区书香苑3号楼2单元2501室", MatchReason.ROOM_NOT_POSSIBLE),
        ("金凤区书香苑3号楼2单元5层601室", MatchReason.ROOM_NOT_POSSIBLE),
        ("金凤区书香苑3号楼对面", MatchReason.PLACE_BESIDE),
        ("金凤区书香苑3号楼2单元501室（旁边）", MatchReason.PLACE_BESIDE),
    ],
)
def test_what_a_person_must_decide_is_never_linked(matcher: Matcher, written: str, reason: MatchReason) -> None:
    assert decided(matcher, written)[1] == reason


@pytest.mark.parametrize(
    "written",
    [
        "金凤区文昌东街20号",  # another direction is another street
        "金凤区文昌街20号",
        "金凤区康平路3号",
        "金凤区书香苑4号楼",
        "金凤区书香苑30号楼",
        "原州区翠柳嘉苑2号楼",
        "金凤区康平路1 4号楼",
        "金凤区城市壹号南区1 5号楼",
        "金凤区书香苑?3号楼",
        "青铜峡市同村11号",  # 同乐村, or 同进村 of another township
        "青铜峡市玉泉行木村11号",  # of two townships
        "金凤区文昌北街书香苑3号楼",  # the street exists, and the compound stands elsewhere
        "金凤区书香苑旁3号楼",
        "金凤区书香苑3号楼、5号楼",
        "金凤区康平路14号、16号",
        "甘肃省兰州市书香苑3号楼",
        "金凤区",
        "老家",
        "",
    ],
)
def test_what_agrees_with_nothing_whole_is_not_linked(matcher: Matcher, written: str) -> None:
    assert decided(matcher, written)[0] in {"review", "unmatched"}


@pytest.fixture(scope="module")
def of_one_county() -> Matcher:
    """A matcher whose register holds 金凤区 alone, and knows it."""
    buildings = [
        index.Building(number, address, number not in GONE, 4, 18, 3, 106.2, 38.4)
        for number, address in REGISTER.items()
        if "金凤区" in address
    ]
    built = index.build(buildings, naming.gazetteer(reference.divisions(), reference.changes()))
    return Matcher(built, elsewhere=built.missing())


@pytest.mark.parametrize(
    ("written", "linked"),
    [
        ("金凤区书香苑3号楼", True),
        ("银川市新城区书香苑3号楼", False),  # 新城区 became parts of 兴庆, 西夏 and 金凤
        ("银川市书香苑3号楼", False),  # 兴庆区 may have one too
        ("书香苑3号楼", False),
        ("银川市悦海新城东区1号楼", True),  # name, zone and city
        ("悦海新城东区1号楼", False),
        ("康平路12号书香苑3号楼", True),  # two names that agree
        ("五里水乡社区康平路14号", True),
        ("银川市康平路14号", False),
        ("长城中路街道书香苑3号楼", True),
    ],
)
def test_without_a_county_one_that_agrees_may_not_be_the_only_one(
    of_one_county: Matcher, written: str, *, linked: bool
) -> None:
    assert (decided(of_one_county, written)[0] not in {"review", "unmatched"}) is linked


def test_a_coordinate_stands_for_the_county(of_one_county: Matcher) -> None:
    assert decided(of_one_county, "银川市书香苑3号楼") == ("review", MatchReason.COUNTY_NOT_STATED)
    assert decided(of_one_county, "银川市书香苑3号楼", (106.201, 38.4))[0] == "101"
    assert decided(of_one_county, "银川市书香苑3号楼", (106.25, 38.4))[0] == "review"


def test_candidates_say_what_agrees_and_what_contradicts(matcher: Matcher) -> None:
    several = list(matcher.explain(matcher.decide(clean("书香苑3号楼"))))
    assert {one.number for one in several} == {"101", "110"}
    assert {one.agrees for one in several} == {"compound building"}
    (elsewhere,) = matcher.explain(matcher.decide(clean("西夏区翠柳华府2号楼")))
    assert (elsewhere.number, elsewhere.contradicts) == ("109", "division_contradicts")


def test_a_coordinate_tells_two_apart_and_contradicts_one_far_away(matcher: Matcher) -> None:
    near_east = (106.2 + 106 / 1000, 38.4)
    verdict = matcher.decide(clean("金凤区悦海新城1号楼"), near_east)
    assert verdict.reason is MatchReason.SEVERAL_BUILDINGS  # 87 m apart: too near to one another to tell
    far = matcher.decide(clean("书香苑3号楼"), (106.2 + 101 / 1000, 38.4))
    assert (far.grade, matcher.index.building_no[far.row]) == (MatchGrade.LOCATED, "101")
    assert matcher.decide(clean("金凤区书香苑3号楼"), (105.0, 36.0)).reason is MatchReason.COORDINATES_CONTRADICT


DIGITS = [
    (address, at) for _, address in sorted(REGISTER.items()) for at, letter in enumerate(address) if letter.isdigit()
]
"""Every digit of every address."""


@given(st.sampled_from(DIGITS), st.sampled_from(list("123456789")))
@settings(max_examples=150, deadline=None)
def test_another_digit_is_another_building(matcher: Matcher, place: tuple[str, int], digit: str) -> None:
    address, at = place
    changed = address[:at] + digit + address[at + 1 :]
    linked, _ = decided(matcher, changed)
    assert linked in {"review", "unmatched"} or REGISTER[linked] == changed


@given(
    st.sampled_from(sorted(set(REGISTER) - GONE - {"125", "126", "127", "128"})),
    st.sampled_from(["兴庆区", "西夏区", "平罗县", "盐池县", "沙坡头区"]),
)
def test_another_county_is_never_linked(matcher: Matcher, number: str, county: str) -> None:
    written = REGISTER[number].replace("银川市金凤区", county).replace("固原市原州区", county)
    assert decided(matcher, written)[0] in {"review", "unmatched"}


@given(st.text(max_size=30))
def test_no_text_breaks_the_matcher(matcher: Matcher, text: str) -> None:
    assert matcher.decide(clean(text)).outcome in set(MatchOutcome)


@pytest.mark.parametrize(("seed", "hard", "least"), [(1, False, 0.985), (2, True, 0.95)])
def test_rows_written_in_another_hand_are_linked_rightly_or_not_at_all(seed: int, least: float, *, hard: bool) -> None:
    counties = (640106, 640402, 640502, 640522)
    town = settlements.register(seed, counties, 6_000)
    buildings = [
        index.Building(home.number, home.address, home.active, home.entrances, home.floors, home.rooms)
        for home in town.homes
    ]
    gazetteer = naming.gazetteer(reference.divisions(), reference.changes())
    matcher = Matcher(index.build(buildings, gazetteer, [naming.NameChange(*past) for past in town.former]))
    rows = list(handwriting.roster(town, seed + 10, 2_500, hard=hard))
    links = {row.occupant_id: decided(matcher, row.address) for row in rows}
    linked = [row for row in rows if links[row.occupant_id][0] not in {"review", "unmatched"}]
    wrong = [row for row in linked if row.expect in {"review", "none"} or links[row.occupant_id][0] != row.number]
    due = [row for row in rows if row.expect == "link"]
    found = [row for row in due if links[row.occupant_id][0] == row.number]
    assert len(wrong) <= len(linked) // 1000, [row.address for row in wrong]
    assert len(found) >= least * len(due)
    assert [row.address for row in found if links[row.occupant_id][1] != row.room] == []
