"""``menpai match``: files in, files out, and one clear line where that cannot be."""

import csv
from pathlib import Path

import pytest

from api import cli
from gis.residents.linking import LINKS

ESTATE = "宁夏回族自治区银川市金凤区长城中路街道五里水乡社区康平路12号书香苑"
REGISTER = [
    ["building_no", "standard_address", "lon", "lat", "structure_type", "units", "floors", "rooms_per_floor", "status"],
    ["900000000001", f"{ESTATE}3号楼", "106.2", "38.4", "residential", "4", "18", "3", "active"],
    ["900000000002", f"{ESTATE}5号楼", "106.2", "38.4", "residential", "4", "18", "3", "demolished"],
]
ROSTER = [
    ["occupant_id", "address", "nationality", "hukou_code", "hukou_as_of"],
    ["R1", "金凤区书香苑3-2-501", "", "640106", ""],
    ["R2", "", "", "640106", ""],
    ["R3", "金凤区书香苑5号楼", "", "640106", ""],
    ["R4", "金凤区书香苑3号楼", "", "640402", ""],
    ["R5", "金凤区书香苑3号楼", "HKG", "", ""],
    ["R6", "金凤区书香苑3号楼", "", "640105", ""],
    ["R7", "金凤区书香苑3号楼", "", "640101", ""],
    ["R8", "金凤区书香苑3号楼", "CHN", "410105", ""],
    ["R9", "金凤区书香苑3号楼", "", "640106", ""],
    ["R9", "金凤区书香苑3号楼", "", "640106", ""],
]


def written(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def run(folder: Path, *more: str) -> tuple[int, list[dict[str, str]]]:
    """Match the folder's roster with its register; returns the exit code and the links."""
    out = folder / "links.csv"
    arguments = ["match", str(folder / "roster.csv"), "--register", str(folder / "register.csv"), "--out", str(out)]
    code = cli.answer([*arguments, *more])
    if not out.exists():
        return code, []
    with out.open(encoding="utf-8", newline="") as file:
        return code, list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "register.csv", REGISTER)
    written(tmp_path / "roster.csv", ROSTER)
    return tmp_path


def test_every_row_has_its_line_in_the_columns_of_the_contract(folder: Path) -> None:
    code, links = run(folder, "--candidates", str(folder / "candidates.csv"))
    assert code == 1
    assert tuple(links[0]) == LINKS
    assert [line["occupant_id"] for line in links] == [row[0] for row in ROSTER[1:]]
    assert links[0]["building_no"] == "900000000001"
    assert (links[0]["room"], links[0]["outcome"], links[0]["grade"]) == ("2-501", "linked", "elements")
    assert [line["category"] for line in links] == [
        "permanent", "", "", "floating", "other", "permanent", "undetermined", "floating", "", "",
    ]  # fmt: skip
    assert [line["reason"] for line in links[1:3]] == ["address_missing", "building_not_active"]
    assert {line["reason"] for line in links[-2:]} == {"repeated_occupant"}
    with (folder / "candidates.csv").open(encoding="utf-8", newline="") as file:
        (candidate,) = csv.DictReader(file)
    assert (candidate["occupant_id"], candidate["building_no"]) == ("R3", "900000000002")


def test_a_roster_that_says_nothing_of_origin_gets_no_category(folder: Path) -> None:
    written(folder / "roster.csv", [row[:2] for row in ROSTER[:2]])
    code, links = run(folder)
    assert (code, links[0]["category"], links[0]["outcome"]) == (0, "", "linked")


def test_a_row_with_a_field_too_many_is_told_and_the_others_linked(folder: Path) -> None:
    written(
        folder / "roster.csv",
        [["occupant_id", "address"], ["R1", "金凤区书香苑3号楼"], ["R2", "x", "y"], ROSTER[4][:2]],
    )
    code, links = run(folder)
    assert code == 1
    assert [(line["outcome"], line["reason"]) for line in links] == [
        ("linked", ""), ("review", "unreadable_row"), ("linked", ""),
    ]  # fmt: skip


def test_former_names_and_coordinates_are_used_where_they_are_given(folder: Path) -> None:
    written(folder / "names.csv", [["county_code", "current_name", "former_name"], ["640106", "康平路", "红旗路"]])
    written(
        folder / "roster.csv",
        [["occupant_id", "address", "lon", "lat"], ["R1", "金凤区红旗路12号3号楼", "106.2", "38.4"],
         ["R2", "金凤区书香苑3号楼", "105.0", "36.0"]],
    )  # fmt: skip
    _, links = run(folder, "--former-names", str(folder / "names.csv"), "--datum", "cgcs2000")
    assert [(line["grade"], line["reason"]) for line in links] == [("former", ""), ("", "coordinates_contradict")]


@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("roster.csv", [["id", "address"]], "no column occupant_id"),
        ("roster.csv", [["occupant_id", "address", "address"]], "names address twice"),
        ("roster.csv", [], "empty"),
        ("register.csv", [["standard_address"]], "no column building_no"),
        ("register.csv", [], "empty"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, rows: list[list[str]], says: str
) -> None:
    written(folder / name, rows)
    code, links = run(folder)
    told = capsys.readouterr().err.strip()
    assert (code, links, told.count("\n")) == (2, [], 0)
    assert says in told


def test_a_file_in_gb18030_is_told_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder / "roster.csv", ROSTER, encoding="gb18030")
    assert run(folder) == (2, [])
    assert "save it as CSV UTF-8" in capsys.readouterr().err


def test_the_roster_is_not_written_over(folder: Path) -> None:
    roster = folder / "roster.csv"
    code = cli.answer(["match", str(roster), "--register", str(folder / "register.csv"), "--out", str(roster)])
    assert code == 2
    assert roster.read_text("utf-8").startswith("occupant_id")
