"""Set cover, maximal cover and the p-center: what brute force finds on small cases, and the published optima."""

import csv
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from gis.errors import Infeasible
from gis.planning.siting import Siting, max_cover, p_center, set_cover

CENTERS = {1: 127, 5: 48, 15: 18, 25: 11, 33: 15}


@st.composite
def choices(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a small table of who is covered by whom, with sites that stand already and others that may not."""
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    often = draw(st.sampled_from([2, 4, 7]))  # in ten
    pair = st.integers(0, 9).map(lambda drawn: drawn < often)
    covers = np.array(draw(st.lists(st.lists(pair, min_size=m, max_size=m), min_size=n, max_size=n)))
    p = draw(st.integers(1, m))
    order = draw(st.permutations(range(m)))
    fixed, forbidden = draw(st.integers(0, p)), draw(st.integers(0, m - p))
    return {"covers": covers, "p": p, "fixed": order[:fixed], "forbidden": order[fixed : fixed + forbidden]}


def plans(question: dict[str, Any], p: int) -> list[list[int]]:
    """Return all sets of p sites that are allowed."""
    free = sorted(set(range(question["covers"].shape[1])) - set(question["forbidden"]))
    return [list(sites) for sites in combinations(free, p) if set(question["fixed"]) <= set(sites)]


@settings(max_examples=300, deadline=None)
@given(question=choices())
def test_a_set_cover_is_as_small_as_any(question: dict[str, Any]) -> None:
    covers, fixed, forbidden = question["covers"], question["fixed"], question["forbidden"]
    allowed = np.delete(covers, forbidden, axis=1)
    left_over = np.flatnonzero(~allowed.any(axis=1))
    if len(left_over):
        with pytest.raises(Infeasible) as caught:
            set_cover(covers, fixed=fixed, forbidden=forbidden)
        assert caught.value.demand == left_over.tolist()
        return
    answer = set_cover(covers, fixed=fixed, forbidden=forbidden)
    fewest = min(
        p
        for p in range(len(fixed), covers.shape[1] + 1)
        if any(covers[:, sites].any(axis=1).all() for sites in plans(question, p))
    )
    assert (answer.objective, answer.bound, answer.status) == (fewest, fewest, "optimal")
    assert len(answer.sites) == fewest
    assert set(fixed) <= set(answer.sites)
    assert not set(forbidden) & set(answer.sites)
    assert covers[np.arange(len(covers)), answer.assignment].all()
    assert set_cover(sparse.csr_array(covers), fixed=fixed, forbidden=forbidden).sites == answer.sites


@settings(max_examples=300, deadline=None)
@given(question=choices(), weights=st.lists(st.integers(0, 9), min_size=8, max_size=8))
def test_a_maximal_cover_covers_as_much_as_any(question: dict[str, Any], weights: list[int]) -> None:
    covers, p = question["covers"], question["p"]
    worth = np.array(weights[: len(covers)])
    options = {"weights": worth, "fixed": question["fixed"], "forbidden": question["forbidden"]}
    answer = max_cover(covers, p, **options)
    most = max(worth @ covers[:, sites].any(axis=1) for sites in plans(question, p))
    assert (answer.objective, answer.bound, answer.status) == (most, most, "optimal")
    assert answer.sites in plans(question, p)
    covered = covers[:, answer.sites].any(axis=1)
    assert answer.unserved == np.flatnonzero(~covered).tolist()
    assert covers[covered, answer.assignment[covered]].all()
    assert max_cover(sparse.csc_array(covers), p, **options).objective == answer.objective


@settings(max_examples=300, deadline=None)
@given(question=choices(), seed=st.integers(0, 10**6), whole=st.booleans(), weighted=st.booleans())
def test_a_center_keeps_everybody_as_near_as_any(
    question: dict[str, Any], seed: int, *, whole: bool, weighted: bool
) -> None:
    random = np.random.default_rng(seed)
    reach = question["covers"]
    cost = random.integers(0, 9, reach.shape).astype(float) if whole else random.random(reach.shape)
    cost[~reach] = np.inf
    weights = random.integers(0, 4, len(cost)) if weighted else np.ones(len(cost))
    options = {"weights": weights, "fixed": question["fixed"], "forbidden": question["forbidden"]}
    possible = [cost[:, sites].min(axis=1) for sites in plans(question, question["p"])]
    best = min((max(weights * least) for least in possible if np.isfinite(least).all()), default=None)
    if best is None:
        with pytest.raises(Infeasible) as caught:
            p_center(cost, question["p"], **options)
        assert caught.value.demand
        return
    answer = p_center(cost, question["p"], **options)
    assert (answer.objective, answer.bound, answer.status) == (best, best, "optimal")
    assert answer.sites in plans(question, question["p"])
    assert max(weights * cost[np.arange(len(cost)), answer.assignment]) == best
    stored = sparse.coo_array((cost[reach], np.nonzero(reach)), shape=cost.shape)
    assert p_center(stored, question["p"], **options).objective == best


@pytest.mark.parametrize("number", CENTERS)
def test_published_centers_are_proven(test_data: Path, number: int) -> None:
    numbers = np.array((test_data / "siting" / "pmed" / f"pmed{number}.txt").read_text("ascii").split(), dtype=np.int64)
    n, many, p = numbers[:3]
    ways = np.full((n, n), np.inf)
    np.fill_diagonal(ways, 0)
    for a, b, cost in numbers[3 : 3 + 3 * many].reshape(-1, 3):
        ways[a - 1, b - 1] = ways[b - 1, a - 1] = cost
    for k in range(n):
        np.minimum(ways, ways[:, k : k + 1] + ways[k : k + 1], out=ways)
    answer = p_center(ways, int(p))
    assert (answer.objective, answer.bound, answer.status) == (CENTERS[number], CENTERS[number], "optimal")


def test_published_maximal_covers_are_proven(test_data: Path) -> None:
    folder = test_data / "siting" / "mclp"
    with (folder / "proven_optima.csv").open(encoding="ascii") as file:
        cases = list(csv.DictReader(file))
    assert cases
    for case in cases:
        places = np.loadtxt(folder / f"{case['inst']}.txt", skiprows=1)
        demand = np.loadtxt(folder / f"demand-{case['inst']}.dat")
        covers = np.linalg.norm(places[:, None] - places, axis=2) <= float(case["R"])
        answer = max_cover(covers, int(case["p"]), weights=demand)
        assert (case, answer.objective, answer.status) == (case, int(case["opt"]), "optimal")


def test_whom_a_center_leaves_over_is_named_though_some_candidates_are_forbidden() -> None:
    cost = np.array([[0, np.inf, 1], [np.inf, 1, np.inf], [0, np.inf, np.inf]])
    with pytest.raises(Infeasible, match="leave over") as caught:
        p_center(np.hstack([np.ones((3, 1)), cost]), 1, forbidden=[0])
    assert caught.value.demand == [1]


def test_a_cover_that_time_cut_short_says_so() -> None:
    random = np.random.default_rng(1)
    places, sites = random.random((4000, 2)), random.random((1000, 2))
    covers = np.linalg.norm(places[:, None] - sites, axis=2) < 0.06
    covers = covers[covers.any(axis=1)]
    answer = set_cover(covers, time_limit_s=1)
    assert answer.status == "time_limit"
    assert answer.bound < answer.objective == len(answer.sites)
    assert covers[:, answer.sites].any(axis=1).all()
    assert answer.seconds < 5  # a busy machine may be late, but not by much


@pytest.mark.parametrize("ask", [max_cover, p_center])
def test_bad_numbers_of_sites_are_refused(ask: Callable[..., Siting]) -> None:
    for bad in ({"p": 0}, {"p": 3}, {"p": 1, "fixed": [0, 1]}, {"p": 1, "fixed": [0], "forbidden": [0]}):
        with pytest.raises(ValueError, match=r"p |fixed"):
            ask(np.ones((2, 2)), **bad)


@pytest.mark.parametrize("bad", [np.zeros((0, 2)), [[1, np.nan]], [[1, -1]], [1, 0]])
def test_a_table_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="matrix"):
        set_cover(bad)
