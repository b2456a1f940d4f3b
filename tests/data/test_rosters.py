"""A roster file gives every one of its rows, whatever program wrote it, or one sentence that says what to do."""

import random
from pathlib import Path

import pytest

from data import rosters
from data.rosters import read_roster
from gis.errors import RosterNotReadable
from gis.residents.rows import ROSTER_ROWS


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "roster.csv"
    path.write_bytes(content.encode(encoding))
    return path


def test_columns_come_in_any_order_and_case_and_unknown_ones_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "Phone, ADDRESS ,Occupant_ID,民族\n1,北京路1号,A,x\n")
    roster = read_roster(path)
    assert roster.ignored == ("Phone", "民族")
    assert roster.rows.schema == ROSTER_ROWS
    assert roster.rows.to_pylist() == [
        dict.fromkeys(ROSTER_ROWS.names) | {"row": 1, "occupant_id": "A", "address": "北京路1号"}
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_either_line_end_are_read(tmp_path: Path, encoding: str, end: str) -> None:
    path = written(tmp_path, f"occupant_id,address{end}A,北京路1号{end}B,", encoding)
    rows = read_roster(path).rows
    assert rows["occupant_id"].to_pylist() == ["A", "B"]
    assert rows["address"].to_pylist() == ["北京路1号", None]


def test_quoted_commas_quotes_and_line_ends_stay_inside_their_field(tmp_path: Path) -> None:
    path = written(tmp_path, 'occupant_id,address\nA,"a,b"\nB,"c""d"\nC,"e\nf"\n')
    assert read_roster(path).rows["address"].to_pylist() == ["a,b", 'c"d', "e\nf"]


def test_rows_with_too_many_or_too_few_fields_keep_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "BLOCK_BYTES", 1000)  # so that rows lie in many blocks
    draw = random.Random(3)  # noqa: S311 - a test's dice
    lines = [draw.choice([f"{number},y", f"{number},y", "few", "too,many,of,them"]) for number in range(1, 1001)]
    expected = [line.split(",")[0] if line.endswith(",y") else None for line in lines]
    rows = read_roster(written(tmp_path, "\n".join(["occupant_id,address", *lines]))).rows
    assert rows["row"].to_pylist() == list(range(1, 1001))
    assert rows["occupant_id"].to_pylist() == expected


def test_a_header_alone_is_an_empty_roster(tmp_path: Path) -> None:
    assert read_roster(written(tmp_path, "occupant_id,address\n")).rows.num_rows == 0
    assert read_roster(written(tmp_path, "occupant_id,address")).rows.num_rows == 0


@pytest.mark.parametrize(
    ("content", "encoding", "why"),
    [
        ("occupant_id,address\nA,北京路1号\n", "gb18030", "GB18030 .* save it as CSV UTF-8"),
        ("occupant_id,address\nA,\udcff\udcff\udcff\n", "surrogates", "not UTF-8"),
        ("occupant_id,name\nA,B\n", "utf-8", "no column address"),
        ("", "utf-8", "no column occupant_id and no column address"),
        ("occupant_id,address,Address\nA,B,C\n", "utf-8", "names address twice"),
    ],
)
def test_a_file_that_is_no_roster_says_what_to_do(tmp_path: Path, content: str, encoding: str, why: str) -> None:
    path = tmp_path / "roster.csv"
    raw = content.encode("utf-8", "surrogateescape") if encoding == "surrogates" else content.encode(encoding)
    path.write_bytes(raw)
    with pytest.raises(RosterNotReadable, match=why):
        read_roster(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterNotReadable, match=r"missing\.csv"):
        read_roster(tmp_path / "missing.csv")
