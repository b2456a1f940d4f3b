"""The p-median: what brute force finds on small cases, the published optima, and one clear error for bad questions."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from gis.errors import Infeasible
from gis.planning.siting import Siting, p_median

OPTIMA = {1: 5819, 3: 4250, 5: 1355, 7: 5631, 9: 2734, 11: 7696, 13: 4374, 15: 1729, 17: 6999, 19: 2845} | {
    21: 9138,
    23: 4619,
    25: 1828,
    27: 8307,
    29: 3033,
    31: 10086,
    33: 4700,
    35: 10400,
    37: 5057,
    39: 9423,
}


def read_network(path: Path) -> tuple[Any, int]:
    """Return the shortest ways between all nodes of an OR-Library network, and p; the last of repeated edges counts."""
    numbers = np.array(path.read_text("ascii").split(), dtype=np.int64)
    n, many, p = numbers[:3]
    ways = np.full((n, n), np.inf)
    np.fill_diagonal(ways, 0)
    for a, b, cost in numbers[3 : 3 + 3 * many].reshape(-1, 3):
        ways[a - 1, b - 1] = ways[b - 1, a - 1] = cost
    for k in range(n):
        np.minimum(ways, ways[:, k : k + 1] + ways[k : k + 1], out=ways)
    return ways, int(p)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a small p-median with any of its options."""
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    numbers = st.integers(0, 12) if draw(st.booleans()) else st.floats(0, 10, allow_subnormal=False)
    missing = draw(st.sampled_from([0, 0, 3, 6]))  # in ten
    pair = st.tuples(numbers, st.integers(1, 10)).map(lambda drawn: drawn[0] if drawn[1] > missing else np.inf)
    cost = np.array(draw(st.lists(st.lists(pair, min_size=m, max_size=m), min_size=n, max_size=n)), dtype=float)
    p = draw(st.integers(1, m))
    order = draw(st.permutations(range(m)))
    fixed = draw(st.integers(0, p))
    forbidden = draw(st.integers(0, m - p))
    options: dict[str, Any] = {"fixed": order[:fixed], "forbidden": order[fixed : fixed + forbidden]}
    if draw(st.booleans()):
        options["weights"] = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    if draw(st.integers(0, 3)) == 0:
        options["max_cost"] = draw(st.integers(0, 10))
    if draw(st.integers(0, 3)) == 0:
        places = np.array(draw(st.lists(st.integers(0, 20), min_size=m, max_size=m)))
        options |= {"separation": abs(places[:, None] - places), "min_separation": draw(st.integers(0, 8))}
    return {"cost": cost, "p": p, **options}


def best_by_hand(question: dict[str, Any]) -> tuple[float | None, list[int]]:
    """Return the least cost over all sets of p sites, None where no set serves everybody, and whom nobody reaches."""
    cost = question["cost"].copy()
    n, m = cost.shape
    weights = np.asarray(question.get("weights", np.ones(n)))
    cost[:, question["forbidden"]] = np.inf
    unserved = np.flatnonzero(~np.isfinite(cost).any(axis=1))
    cost[cost > question.get("max_cost", np.inf)] = np.inf
    cost, weights = np.delete(cost, unserved, axis=0), np.delete(weights, unserved)
    free = sorted(set(range(m)) - set(question["forbidden"]))
    costs = [
        float(weights @ least)
        for sites in combinations(free, question["p"])
        if set(question["fixed"]) <= set(sites) and apart(question, sites)
        if np.isfinite(least := cost[:, list(sites)].min(axis=1)).all()
    ]
    return min(costs, default=None), unserved.tolist()


def apart(question: dict[str, Any], sites: tuple[int, ...]) -> bool:
    """Tell whether no two sites stand too close."""
    return "separation" not in question or all(
        question["separation"][a, b] >= question["min_separation"] for a, b in combinations(sites, 2)
    )


def check(question: dict[str, Any], answer: Siting) -> None:
    """Check an answer against nothing but the question."""
    cost = question["cost"]
    weights = np.asarray(question.get("weights", np.ones(len(cost))))
    assert len(answer.sites) == question["p"] == len(set(answer.sites))
    assert answer.sites == sorted(answer.sites)
    assert set(question["fixed"]) <= set(answer.sites)
    assert not set(question["forbidden"]) & set(answer.sites)
    assert apart(question, tuple(answer.sites))
    served = np.setdiff1d(np.arange(len(cost)), answer.unserved)
    assert (answer.assignment[answer.unserved] == -1).all()
    assert set(answer.assignment[served].tolist()) <= set(answer.sites)
    paid = cost[served, answer.assignment[served]]
    assert (paid <= question.get("max_cost", np.inf)).all()
    assert answer.objective == pytest.approx(weights[served] @ paid)
    assert answer.bound <= answer.objective


@settings(max_examples=400, deadline=None)
@given(question=questions())
def test_the_answer_is_the_best_of_all_plans(question: dict[str, Any]) -> None:
    best, unserved = best_by_hand(question)
    if best is None:
        with pytest.raises(Infeasible):
            p_median(**question)
        return
    answer = p_median(**question)
    check(question, answer)
    assert answer.objective == pytest.approx(best)
    assert (answer.status, answer.gap) == ("optimal", 0)
    assert answer.unserved == unserved


@settings(max_examples=100, deadline=None)
@given(question=questions(), seed=st.integers(0, 3))
def test_without_a_proof_the_bound_still_holds(question: dict[str, Any], seed: int) -> None:
    best, _ = best_by_hand(question)
    if best is None:
        return
    answer = p_median(**question, prove=False, seed=seed)
    check(question, answer)
    assert answer.bound <= best + 1e-9 * best
    assert answer.status == "feasible" or answer.objective == pytest.approx(best)
    assert p_median(**question, prove=False, seed=seed).sites == answer.sites


@settings(max_examples=150, deadline=None)
@given(question=questions())
def test_a_sparse_matrix_says_the_same_as_a_dense_one(question: dict[str, Any]) -> None:
    if best_by_hand(question)[0] is None:
        return
    cost = question["cost"]
    row, column = np.nonzero(np.isfinite(cost))
    stored = sparse.coo_array((cost[row, column], (row, column)), shape=cost.shape)
    dense, thin = p_median(**question), p_median(**question | {"cost": stored.tocsc()})
    assert (dense.objective, dense.unserved, dense.status) == (thin.objective, thin.unserved, thin.status)


def test_a_stored_zero_is_a_cost_and_what_is_absent_is_out_of_reach() -> None:
    stored = sparse.coo_array(([0.0, 5.0, 7.0], ([0, 1, 2], [0, 0, 1])), shape=(4, 3))
    answer = p_median(stored, 2)
    assert (answer.sites, answer.objective, answer.unserved) == ([0, 1], 12, [3])
    assert answer.assignment.tolist() == [0, 0, 1, -1]


def test_cut_lists_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    cost = random.random((120, 60)) * random.random((120, 1))
    whole = p_median(cost, 5)
    monkeypatch.setattr("gis.planning.siting.costs.FULL", 10)
    monkeypatch.setattr("gis.planning.siting.medians.LIST_LEAST", 2)
    monkeypatch.setattr("gis.planning.siting.medians.LIST_SITES", 0)
    cut = p_median(cost, 5)
    assert (cut.status, cut.sites, cut.objective) == ("optimal", whole.sites, whole.objective)


@pytest.mark.parametrize("number", OPTIMA)
def test_published_optima_are_proven(test_data: Path, number: int) -> None:
    ways, p = read_network(test_data / "siting" / "pmed" / f"pmed{number}.txt")
    answer = p_median(ways, p)
    assert (answer.objective, answer.bound, answer.status) == (OPTIMA[number], OPTIMA[number], "optimal")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_heuristic_alone_finds_published_optima_on_any_seed(test_data: Path, seed: int) -> None:
    for number in (5, 9, 15, 19, 25):
        ways, p = read_network(test_data / "siting" / "pmed" / f"pmed{number}.txt")
        answer = p_median(ways, p, prove=False, seed=seed)
        assert (number, answer.objective) == (number, OPTIMA[number])
        assert answer.bound <= OPTIMA[number]


def test_when_time_is_over_the_answer_says_so() -> None:
    random = np.random.default_rng(0)
    cost = random.random((2000, 400))
    answer = p_median(cost, 40, time_limit_s=1)
    assert answer.status == "time_limit"
    assert 0 < answer.bound < answer.objective == pytest.approx(cost[:, answer.sites].min(axis=1).sum())
    assert answer.gap == pytest.approx(1 - answer.bound / answer.objective)
    assert answer.seconds < 5  # a busy machine may be late, but not by much


def test_demand_that_p_sites_leave_over_is_named() -> None:
    alone = np.full((3, 3), np.inf)
    np.fill_diagonal(alone, 1)
    with pytest.raises(Infeasible, match="no 2 sites serve everybody") as caught:
        p_median(alone, 2)
    assert len(caught.value.demand) == 1


def test_demand_beyond_the_upper_bound_is_named() -> None:
    with pytest.raises(Infeasible, match="demand 1 has no candidate within 3") as caught:
        p_median([[1, 9], [5, 9], [9, 2]], 2, max_cost=3)
    assert caught.value.demand == [1]


def test_sites_that_cannot_keep_their_distance_are_told() -> None:
    with pytest.raises(Infeasible, match="distance") as caught:
        p_median(np.ones((2, 3)), 2, fixed=[0, 1], separation=np.ones((3, 3)), min_separation=2)
    assert caught.value.demand == []
    with pytest.raises(Infeasible):
        p_median(np.ones((2, 3)), 2, separation=np.ones((3, 3)), min_separation=2)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"cost": [[1, -1]]}, "negative"),
        ({"cost": [[1, np.nan]]}, "NaN"),
        ({"cost": sparse.csr_array([[1.0, -2.0]])}, "negative"),
        ({"cost": np.zeros((0, 3))}, "shape"),
        ({"cost": np.zeros((3, 0))}, "shape"),
        ({"cost": [1, 2]}, "shape"),
        ({"cost": [["a", "b"]]}, "numbers"),
        ({"p": 0}, "1 or more"),
        ({"p": 4}, "more than the 3 candidates"),
        ({"p": 3, "forbidden": [1]}, "more than the 2 candidates"),
        ({"p": 1.5}, "whole number"),
        ({"p": True}, "1 or more"),
        ({"p": 1, "fixed": [0, 1]}, "more than p"),
        ({"fixed": [0, 0]}, "twice"),
        ({"fixed": [3]}, "do not exist"),
        ({"forbidden": [-1]}, "do not exist"),
        ({"fixed": [0.5]}, "whole numbers"),
        ({"fixed": [1], "forbidden": [1]}, "both fixed and forbidden"),
        ({"weights": [1]}, "weights must be 2 numbers"),
        ({"weights": [1, -1]}, "weights must be finite"),
        ({"weights": [1, np.nan]}, "weights must be finite"),
        ({"demand": [1, 2, 3]}, "demand must be 2 numbers"),
        ({"capacity": [1, 2]}, "capacity must be 3 numbers"),
        ({"separation": np.zeros((3, 3))}, "together"),
        ({"separation": np.zeros((2, 3)), "min_separation": 1}, "separation must be 3 × 3"),
        ({"separation": np.zeros((3, 3)), "min_separation": -1}, "min_separation"),
        ({"max_cost": -1}, "max_cost"),
        ({"time_limit_s": 0}, "time_limit_s"),
    ],
)
def test_a_bad_question_is_refused_with_one_sentence(bad: dict[str, Any], why: str) -> None:
    question: dict[str, Any] = {"cost": [[1, 2, 3], [3, 2, 1]], "p": 2}
    with pytest.raises(ValueError, match=why):
        p_median(**question | bad)
