"""Sites that take only so much: what brute force finds on small cases, the published optima, and who is left over."""

from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from gis.errors import Infeasible
from gis.planning.siting import Siting, max_cover, p_median

OPTIMA = {"SJC1": 17288.99, "SJC2": 33270.94}


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a small question with capacities and any of the other options."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    seed = draw(st.integers(0, 10**6))
    random = np.random.default_rng(seed)
    cost = random.integers(0, 12, (n, m)).astype(float) if draw(st.booleans()) else random.random((n, m)) * 10
    cost[random.random((n, m)) < draw(st.sampled_from([0, 0, 0.2]))] = np.inf
    p = draw(st.integers(1, m))
    order = draw(st.permutations(range(m)))
    fixed, forbidden = draw(st.integers(0, p)), draw(st.integers(0, m - p))
    options: dict[str, Any] = {
        "fixed": order[:fixed],
        "forbidden": order[fixed : fixed + forbidden],
        "demand": random.integers(0, 6, n),
        "capacity": random.integers(0, 14, m),
    }
    if draw(st.booleans()):
        options["weights"] = random.integers(0, 5, n)
    if draw(st.integers(0, 3)) == 0:
        options["max_cost"] = draw(st.integers(4, 10))
    if draw(st.integers(0, 3)) == 0:
        places = random.integers(0, 20, m)
        options |= {"separation": abs(places[:, None] - places), "min_separation": draw(st.integers(0, 8))}
    return {"cost": cost, "p": p, **options}


def reachable(question: dict[str, Any]) -> tuple[Any, Any]:
    """Return the costs of what is allowed, infinite elsewhere, and whom nobody reaches."""
    cost = question["cost"].copy()
    cost[:, question["forbidden"]] = np.inf
    alone = np.flatnonzero(~np.isfinite(cost).any(axis=1))
    cost[cost > question.get("max_cost", np.inf)] = np.inf
    return cost, alone


def plans(question: dict[str, Any]) -> list[list[int]]:
    """Return all sets of p sites that are allowed and keep apart."""
    free = sorted(set(range(question["cost"].shape[1])) - set(question["forbidden"]))
    far, least = question.get("separation"), question.get("min_separation", 0)
    return [
        list(sites)
        for sites in combinations(free, question["p"])
        if set(question["fixed"]) <= set(sites)
        and (far is None or all(far[a, b] >= least for a, b in combinations(sites, 2)))
    ]


def best_whole(question: dict[str, Any]) -> float | None:
    """Return the least cost where everybody goes to one site, None where there is no room."""
    cost, alone = reachable(question)
    served = np.setdiff1d(np.arange(len(cost)), alone)
    weights = question.get("weights", question["demand"] * 0 + 1)
    best = None
    for sites in plans(question):
        for chosen in product(sites, repeat=len(served)):
            at = np.array(chosen, dtype=np.int64)
            load = np.bincount(at, weights=question["demand"][served], minlength=cost.shape[1])
            paid = cost[served, at]
            if (load <= question["capacity"]).all() and np.isfinite(paid).all():
                found = float(weights[served] @ paid)
                best = found if best is None else min(best, found)
    return best


def best_divided(question: dict[str, Any]) -> float | None:
    """Return the least cost where demand may be divided, None where there is no room."""
    cost, alone = reachable(question)
    served = np.setdiff1d(np.arange(len(cost)), alone)
    weights = question.get("weights", question["demand"] * 0 + 1)
    best = None
    for sites in plans(question):
        part = cost[served][:, sites]
        n, p = part.shape
        if not n:
            return 0.0
        room = np.kron(question["demand"][served], np.eye(p)).reshape(p, -1)
        solved = optimize.linprog(
            (np.where(np.isfinite(part), part, 0) * weights[served, None]).ravel(),
            A_ub=room,
            b_ub=question["capacity"][sites],
            A_eq=np.kron(np.eye(n), np.ones((1, p))),
            b_eq=np.ones(n),
            bounds=[(0, 1 if there else 0) for there in np.isfinite(part).ravel()],
        )
        if solved.success:
            best = solved.fun if best is None else min(best, solved.fun)
    return best


def check(question: dict[str, Any], answer: Siting, shares: Any) -> None:  # noqa: ANN401 - an array
    """Check an answer against nothing but the question."""
    cost, alone = reachable(question)
    weights = question.get("weights", question["demand"] * 0 + 1)
    assert answer.sites in plans(question)
    assert answer.unserved == alone.tolist()
    assert shares.sum(axis=1) == pytest.approx(1.0 - np.isin(np.arange(len(cost)), alone))
    assert np.isfinite(cost[shares > 0]).all()
    assert set(np.nonzero(shares)[1]) <= set(answer.sites)
    assert (question["demand"] @ shares <= question["capacity"] + 1e-5).all()
    paid = (shares * np.where(shares > 0, cost, 0)).sum(axis=1)
    assert answer.objective == pytest.approx(weights @ paid)


@settings(max_examples=100, deadline=None)
@given(question=questions())
def test_with_capacities_the_answer_is_the_best_of_all_plans(question: dict[str, Any]) -> None:
    best = best_whole(question)
    if best is None:
        with pytest.raises(Infeasible) as caught:
            p_median(**question)
        assert caught.value.demand or not plans(question)
        return
    answer = p_median(**question)
    shares = np.zeros(question["cost"].shape)
    served = answer.assignment >= 0
    shares[served, answer.assignment[served]] = 1
    check(question, answer, shares)
    assert answer.objective == pytest.approx(best)
    assert (answer.status, answer.gap) == ("optimal", 0)
    thin = p_median(**question | {"cost": sparse.csc_array(stored(question["cost"]))})
    assert thin.objective == pytest.approx(best)
    quick = p_median(**question, prove=False)
    assert quick.bound <= best + 1e-9 <= quick.objective + 2e-9


def stored(cost: Any) -> Any:  # noqa: ANN401 - arrays, one of them sparse
    """Return a cost matrix as a sparse one in which zeros are stored."""
    where = np.nonzero(np.isfinite(cost))
    return sparse.coo_array((cost[where], where), shape=cost.shape)


@settings(max_examples=80, deadline=None)
@given(question=questions())
def test_divided_demand_is_served_as_cheaply_as_can_be(question: dict[str, Any]) -> None:
    best = best_divided(question)
    if best is None:
        with pytest.raises(Infeasible):
            p_median(**question, divisible=True)
        return
    answer = p_median(**question, divisible=True)
    assert answer.shares is not None
    check(question, answer, answer.shares.toarray())
    assert answer.objective == pytest.approx(best, abs=1e-6)
    assert answer.gap < 1e-6


@settings(max_examples=80, deadline=None)
@given(question=questions())
def test_a_cover_with_capacities_covers_as_much_as_any(question: dict[str, Any]) -> None:
    covers, demand = question["cost"] < 6, question["demand"]
    worth = question.get("weights", demand)
    options = {name: question[name] for name in ("fixed", "forbidden", "demand", "capacity")}
    answer = max_cover(covers, question["p"], weights=worth, **options)
    best = 0.0
    for sites in plans({**question, "separation": None}):
        for at in product([-1, *sites], repeat=len(covers)):
            served = np.flatnonzero(np.array(at) >= 0)
            where = np.array(at)[served]
            load = np.bincount(where, weights=demand[served], minlength=covers.shape[1])
            if covers[served, where].all() and (load <= question["capacity"]).all():
                best = max(best, float(worth[served].sum()))
    assert (answer.objective, answer.bound, answer.status) == (best, best, "optimal")
    served = np.flatnonzero(answer.assignment >= 0)
    assert answer.unserved == np.flatnonzero(answer.assignment < 0).tolist()
    assert covers[served, answer.assignment[served]].all()
    load = np.bincount(answer.assignment[served], weights=demand[served], minlength=covers.shape[1])
    assert (load <= question["capacity"]).all()
    assert set(answer.assignment[served].tolist()) <= set(answer.sites)
    assert len(answer.sites) == question["p"]


@pytest.mark.long
@pytest.mark.parametrize("name", OPTIMA)
def test_published_optima_with_capacities_are_proven(test_data: Path, name: str) -> None:
    lines = np.loadtxt(test_data / "siting" / "cpmp" / f"{name}.dat", skiprows=1)
    p = int((test_data / "siting" / "cpmp" / f"{name}.dat").read_text("ascii").split()[1])
    places, capacity, demand = lines[:, :2], lines[:, 2], lines[:, 3]
    ways = np.linalg.norm(places[:, None] - places, axis=2)
    answer = p_median(ways, p, weights=np.ones(len(ways)), demand=demand, capacity=capacity, time_limit_s=120)
    assert answer.objective == pytest.approx(OPTIMA[name], abs=0.01)
    assert answer.status == "optimal"
    assert (np.bincount(answer.assignment, weights=demand, minlength=len(ways)) <= capacity).all()


def test_demand_too_large_for_every_site_is_named() -> None:
    with pytest.raises(Infeasible, match="demand 1 is larger than the capacity") as caught:
        p_median(np.ones((2, 2)), 2, demand=[1, 9], capacity=[5, 5])
    assert caught.value.demand == [1]
    divided = p_median(np.ones((2, 2)), 2, demand=[1, 9], capacity=[5, 5], divisible=True)
    assert divided.objective == pytest.approx(2)


def test_too_little_room_in_all_is_told() -> None:
    for divisible in (False, True):
        with pytest.raises(Infeasible, match="the 1 largest sites take 5 of a demand of 6") as caught:
            p_median(np.ones((2, 2)), 1, demand=[2, 4], capacity=[5, 4], divisible=divisible)
        assert caught.value.demand


def test_demand_that_only_a_search_finds_too_much_is_told() -> None:
    with pytest.raises(Infeasible, match="within their capacities") as caught:
        p_median(np.ones((3, 2)), 2, demand=[3, 3, 3], capacity=[5, 5])
    assert len(caught.value.demand) == 1


def test_a_search_with_capacities_that_time_ends_says_so() -> None:
    random = np.random.default_rng(0)
    homes, sites = random.random((600, 1, 2)), random.random((120, 2))
    cost, demand = np.linalg.norm(homes - sites, axis=2), random.integers(1, 50, 600)
    capacity = np.full(120, demand.sum() / 20)
    for divisible in (False, True):
        answer = p_median(cost, 25, demand=demand, capacity=capacity, divisible=divisible, time_limit_s=1)
        assert answer.status != "optimal"
        assert 0 < answer.bound < answer.objective
        assert answer.seconds < 8  # a busy machine may be late, but not by much
    again = [p_median(cost[:200], 8, demand=demand[:200], capacity=capacity, prove=False).sites for _ in range(2)]
    assert again[0] == again[1]
