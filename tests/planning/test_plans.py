"""A plan is made on exact sums and shows none: rounded to ten, nobody's home, and police posts know no category."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import cli, sampling
from data import reference
from gis.errors import BadArgument, Infeasible, NoCandidates, NoDemand, PlanNotFound
from gis.planning.plans import demand, facilities, publishing, records
from gis.planning.plans.demand import gathered
from gis.planning.plans.facilities import Facility
from gis.planning.plans.making import least, make
from gis.planning.plans.questions import Kind, Question, ask

KINDS = reference.facility_kinds()
STATION, POST = KINDS["service_station"], KINDS["police_post"]
JINFENG = 640106_000000


@pytest.fixture
def town(database: str) -> str:
    """Return the URL of a register with fifteen hundred invented people in one county."""
    sampling.load_sample(county=640106, residents=1500, seed=1)
    return database


def question(kind: Kind = STATION, **more: Any) -> Question:  # noqa: ANN401
    return ask(kind, **{"division": JINFENG, "time_limit_s": 20.0} | more)


def people(*where: tuple[int, int, int, int]) -> demand.Demand:
    """Gather squares (east, north, county, residents) whose homes stand at lon east / 100, lat north / 100."""
    rows = [(e, n, c, many, many * e / 100, many * n / 100) for e, n, c, many in where]
    return gathered(np.array(rows, dtype=np.float64).reshape(-1, 6))


squares = st.lists(
    st.tuples(st.integers(-900, 1100), st.integers(-60, 60), st.sampled_from([640104, 640106]), st.integers(1, 25)),
    unique_by=lambda one: one[:3],
    max_size=40,  # some of them wide apart, and on both sides of nothing
)


@settings(deadline=None)
@given(squares)
def test_no_demand_is_fewer_than_ten_people_and_nobody_is_counted_twice(where: list[tuple[int, int, int, int]]) -> None:
    found = people(*where)
    assert (found.residents >= 10).all()
    assert found.residents.sum() + found.left_out == sum(many for *_, many in where)
    for county in {c for _, _, c, _ in where}:
        there = sum(many for *_, c, many in where if c == county)
        assert found.residents[found.counties == county].sum() == (there if there >= 10 else 0)


def test_neighbours_are_put_together_and_far_ones_are_not() -> None:
    found = people((0, 0, 640106, 6), (1, 1, 640106, 6), (40, 40, 640106, 30), (60, 60, 640104, 4))
    assert found.residents.tolist() == [12, 30]
    assert found.points.round(6).tolist() == [[0.005, 0.005], [0.4, 0.4]]
    assert found.left_out == 4


def test_only_a_service_station_may_be_sited_on_migrants() -> None:
    with pytest.raises(BadArgument, match="everyone"):
        Kind("police_post", "警务室", "police post", "floating", 10, "drive", "第十八条")
    assert "category" not in str(demand._EVERYBODY)  # noqa: SLF001 - the statement itself is what is promised


def test_the_demand_of_a_post_is_everybody_and_of_a_station_who_came_from_elsewhere(town: str) -> None:
    with psycopg.connect(town) as connection:
        counts = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE category = 'floating') FROM reg.residencies"
        ).fetchone()
    assert counts is not None
    everybody, floating = demand.of(POST, JINFENG), demand.of(STATION, JINFENG)
    assert everybody.residents.sum() + everybody.left_out == counts[0]
    assert floating.residents.sum() + floating.left_out == counts[1]
    with pytest.raises(NoDemand, match="police post"):
        demand.of(POST, 640402_000000)


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ({"sites": 3}, "p-median"),
        ({"within_min": 20.0}, "set-cover"),
        ({"sites": 3, "within_min": 20.0}, "max-cover"),
        ({"sites": 3, "model": "p-center"}, "p-center"),
    ],
)
def test_a_plan_serves_as_it_says_and_shows_no_exact_sum(town: str, more: dict[str, Any], model: str) -> None:
    assert town
    made = make(question(**more))
    answer = publishing.published(made)
    assert answer["model"]["name"] == model
    assert answer["quality"]["status"] == "optimal"
    way_s, residents = made.least_s, made.demand.residents
    assert answer["mean_min"] == pytest.approx(np.average(way_s, weights=residents) / 60, abs=0.06)
    text = json.dumps(answer)
    sums = [int(number) for number in re.findall(r'"(?:people|serves|only|unserved|left_out)": (\d+)', text)]
    assert sums
    assert all(number % 10 == 0 and number >= 10 for number in sums)
    if more.get("sites"):
        assert len(answer["sites"]) == 3
    assert "直线距离" in answer["method"]["zh"]


def test_what_stands_stays_unless_closing_is_asked_for(town: str) -> None:
    assert town
    living = demand.of(STATION, JINFENG)
    lonely = living.points[living.residents.argmin()]
    standing = [Facility("service_station", "老站", *lonely), Facility("clinic", "诊所", *lonely)]
    facilities.replace("a", standing, [*KINDS])
    kept = publishing.published(make(question(sites=2)))
    assert [site["name"] for site in kept["sites"] if site["stands"]] == ["老站"]
    assert len(kept["sites"]) == 3
    closed = publishing.published(make(question(sites=3, closing=True)))
    assert len(closed["sites"]) == 3
    assert closed["mean_min"] <= kept["mean_min"]
    assert facilities.replace("a", [], [*KINDS]) == 2


@pytest.mark.parametrize(
    ("more", "error", "sentence"),
    [
        ({"sites": 400}, BadArgument, "more than the"),
        ({"within_min": 0.5}, Infeasible, "longer --within"),
        ({"sites": 2, "candidates": "junctions"}, Exception, "roads"),
        ({"sites": 2, "candidates": "file"}, NoCandidates, "file"),
    ],
)
def test_what_cannot_be_planned_is_told_in_one_sentence(
    town: str, more: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    assert town
    with pytest.raises(error, match=sentence):
        make(question(**more))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "--sites"),
        ({"sites": 0}, "1 to"),
        ({"sites": 3, "model": "set-cover"}, "--within"),
        ({"within_min": float("nan"), "sites": 3}, "--within"),
        ({"sites": 3, "capacity": -1.0}, "--capacity"),
        ({"sites": 3, "model": "p-center", "capacity": 10.0}, "capacities"),
        ({"sites": 3, "time_limit_s": 0.0}, "--time-limit"),
        ({"sites": 3, "model": "best"}, "no model"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadArgument, match=sentence):
        question(**more)


def test_least_ways_are_the_least_and_infinite_where_there_is_none() -> None:
    from scipy import sparse  # noqa: PLC0415 - beside what it is used for

    seconds = sparse.csr_array((np.array([5.0, 0.0, 7.0]), (np.array([0, 0, 1]), np.array([0, 1, 0]))), shape=(3, 2))
    assert least(seconds, [0, 1]).tolist() == [0.0, 7.0, np.inf]


def test_the_command_line_makes_keeps_and_draws_a_plan(
    town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "stations.csv"
    listed.write_text("name,kind,lon,lat\n良田服务站,service_station,106.18,38.42\n", encoding="utf-8")
    assert cli.answer(["import", "facilities", str(listed)]) == 0
    for suffix in ("html", "geojson", "gpkg"):
        out = tmp_path / f"plan.{suffix}"
        words = ["plan", "stations", "--division", "640106", "--sites", "2", "--out", str(out), "--as", "planner"]
        assert cli.answer(words) == 0, capsys.readouterr().err
        assert out.stat().st_size > 1000
    told = capsys.readouterr().out
    assert "良田服务站" in told
    assert "已证明最优" in told
    page = (tmp_path / "plan.html").read_text("utf-8")
    assert "内部用图" in page
    assert not re.search(r"https?://(?!www\.w3\.org|leafletjs)", re.sub(r"(?s)/\*.*?\*/", "", page))
    features = json.loads((tmp_path / "plan.geojson").read_text("utf-8"))["features"]
    assert len(features) == 3
    with psycopg.connect(town) as connection:
        rows = connection.execute("SELECT id, status, question->>'seed', data_version FROM reg.plans").fetchall()
    assert [row[1:3] for row in rows] == [("made", "0")] * 3
    assert all(row[3]["event_seq"] > 0 for row in rows)
    assert records.get(rows[0][0]).answer["people"]
    with pytest.raises(PlanNotFound):
        records.get(rows[0][0].__class__(int=0))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["castles", "--sites", "2"], "no kind of facility"),
        (["stations"], "--sites P"),
        (["stations", "--sites", "2", "--out", "plan.doc"], "format"),
        (["stations", "--sites", "2", "--candidates", "nowhere.csv"], "no such file"),
        (["stations", "--sites", "2", "--division", "110101"], "not known"),
        (["posts", "--sites", "2"], "tens"),
    ],
)
def test_the_command_line_refuses_in_one_line(
    database: str, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert database
    assert cli.answer(["plan", *words]) == 2
    assert sentence in capsys.readouterr().err
