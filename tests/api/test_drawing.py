"""``menpai map density``: what is drawn from a release, and what it says it cannot draw."""

import datetime as dt
from pathlib import Path

import pytest

from api import cli


def test_a_map_names_the_sources_of_counts_and_boundaries(counted: dt.date, tmp_path: Path) -> None:
    out = tmp_path / "map.html"
    assert counted
    assert cli.answer(["map", "density", str(out), "--by", "county"]) == cli.DONE
    html = out.read_text(encoding="utf-8")
    assert "门牌登记；界线：天地图" in html
    assert "Menpai register; boundaries: Tianditu" in html


@pytest.mark.parametrize("level", ["township", "village"])
def test_a_level_without_boundaries_is_refused_in_one_sentence(
    counted: dt.date, tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    out = tmp_path / "map.html"
    assert counted
    assert cli.answer(["map", "density", str(out), "--by", level]) == cli.REFUSED
    said = capsys.readouterr().err
    assert f"no {level} has a boundary to draw" in said
    assert "--by county" in said
    assert len(said.strip().splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(("name", "begins"), [("map.png", b"\x89PNG"), ("map.pdf", b"%PDF-")])
def test_the_name_of_the_file_says_what_is_drawn(counted: dt.date, tmp_path: Path, name: str, begins: bytes) -> None:
    assert counted
    assert cli.answer(["map", "density", str(tmp_path / name), "--by", "county"]) == cli.DONE
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["map.gif"], ".html, .png, .pdf"),
        (["map.html", "--compare", "2026-01-31"], "--compare draws on one sheet"),
        (["map.png", "--compare", "2026-02-01"], "same release"),
        (["map.png", "--breaks", "3,2"], "ascending order"),
        (["map.png", "--breaks", "few"], "no list of numbers"),
        (["map.png", "--method", "fixed"], "Breaks belong to class method fixed"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(
    counted: dt.date, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert counted
    assert cli.answer(["map", "density", str(tmp_path / words[0]), *words[1:]]) == cli.REFUSED
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
