"""What one more site buys, what each site is for, and what is heard while a search runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import Infeasible
from gis.planning.siting import Siting, curve, explain, max_cover, p_center, p_median, set_cover


def town(seed: int, n: int, m: int) -> tuple[Any, Any]:
    """Return the ways from n places to m candidates, some of them out of reach, and how many live at each place."""
    random = np.random.default_rng(seed)
    homes, sites = random.random((n, 1, 2)), random.random((m, 2))
    ways = np.linalg.norm(homes - sites, axis=2)
    ways[ways > random.choice([0.4, 0.9, 2])] = np.inf
    return ways, random.integers(0, 20, n)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), m=st.integers(2, 8), fixed=st.integers(0, 2))
def test_every_point_of_a_curve_is_what_its_own_question_finds(seed: int, n: int, m: int, fixed: int) -> None:
    ways, people = town(seed, n, m)
    options: dict[str, Any] = {"weights": people, "fixed": range(fixed), "forbidden": [m - 1] if m > fixed + 1 else []}
    for model, table in (("p-median", ways), ("max-cover", ways < 0.3)):
        found = curve(table, m, model=model, **options)  # type: ignore[arg-type] # the two names that it knows
        assert found.p.tolist() == list(range(max(1, fixed), m + 1 - len(options["forbidden"])))
        for p, objective, bound, sites in zip(found.p, found.objective, found.bound, found.sites, strict=True):
            best = alone(model, table, int(p), options)
            assert len(sites) == p
            assert set(options["fixed"]) <= set(sites)
            assert not set(options["forbidden"]) & set(sites)
            if model == "p-median":
                assert bound <= best + 1e-9 <= objective + 2e-9
            else:
                assert objective <= best + 1e-9 <= bound + 2e-9
    assert (found.gap <= 1).all()


def alone(model: str, table: Any, p: int, options: dict[str, Any]) -> float:  # noqa: ANN401 - an array of either kind
    """Return the best objective of one number of sites, infinite where no plan serves everybody."""
    try:
        answer = p_median(table, p, **options) if model == "p-median" else max_cover(table, p, **options)
    except Infeasible:
        return np.inf
    assert answer.gap == 0
    return answer.objective


def test_a_curve_of_a_town_is_tight_and_never_rises() -> None:
    ways, people = town(5, 500, 120)
    found = curve(np.where(np.isfinite(ways), ways, 3), 25, weights=people)
    assert (np.diff(found.objective) <= 0).all()
    assert found.gap.max() < 0.01
    assert (found.bound <= found.objective).all()
    again = curve(np.where(np.isfinite(ways), ways, 3), 25, weights=people)
    assert again.sites == found.sites


def test_a_curve_that_time_cuts_short_still_has_every_point() -> None:
    ways, people = town(6, 3000, 500)
    found = curve(ways, 40, weights=people, time_limit_s=0.5)
    assert [len(sites) for sites in found.sites] == list(range(1, 41))
    assert (found.bound <= found.objective).all()
    assert found.seconds < 10  # a busy machine may be late, but not by much


def test_a_curve_refuses_a_model_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="p-median or max-cover"):
        curve(np.ones((2, 2)), 2, model="p-center")  # type: ignore[arg-type] # the mistake
    with pytest.raises(ValueError, match="p must be 1 or more"):
        curve(np.ones((2, 2)), 0)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 20), p=st.integers(1, 5), limited=st.booleans())
def test_a_site_is_worth_what_the_plan_without_it_costs_more(seed: int, n: int, p: int, *, limited: bool) -> None:
    ways, people = town(seed, n, 5)
    limit = 0.5 if limited else None
    plan = list(range(p))
    told = explain(ways, plan, weights=people, max_cost=limit)
    ways[ways > (limit or np.inf)] = np.inf
    least = ways[:, plan].min(axis=1)
    for k in plan:
        without = ways[:, [j for j in plan if j != k]].min(axis=1, initial=np.inf)
        only = np.isfinite(least) & ~np.isfinite(without)
        assert told.only_demand[k].tolist() == np.flatnonzero(only).tolist()
        assert told.only[k] == people[only].sum()
        stay = np.isfinite(without)
        assert told.closing[k] == pytest.approx(people[stay] @ (without[stay] - least[stay]))
    there = np.isfinite(least)
    assert told.serves.sum() == people[there].sum()
    assert told.cost.sum() == pytest.approx(people[there] @ least[there])
    assert told.farthest.max() == (least[there].max() if there.any() else 0)


def test_only_real_candidates_can_be_explained() -> None:
    for sites in ([], [2], [0, 0]):
        with pytest.raises(ValueError, match="sites"):
            explain(np.ones((2, 2)), sites)


def hard(n: int = 1500, m: int = 300) -> Any:  # noqa: ANN401 - an array
    """Return ways without any geometry, which no search proves in a few seconds."""
    return np.random.default_rng(0).random((n, m))


QUESTIONS: dict[str, Callable[..., Siting]] = {
    "p-median": lambda **more: p_median(hard(), 30, **more),
    "max-cover": lambda **more: max_cover(hard() < 0.03, 30, **more),
    "set-cover": lambda **more: set_cover(hard() < 0.1, **more),
    "p-center": lambda **more: p_center(hard(), 30, **more),
}


@pytest.mark.parametrize("model", QUESTIONS)
def test_bound_and_objective_are_told_and_a_search_can_be_called_off(model: str) -> None:
    heard: list[tuple[float, float]] = []

    def listen(bound: float, objective: float) -> bool:
        heard.append((bound, objective))
        return len(heard) > 3

    answer = QUESTIONS[model](time_limit_s=40, on_progress=listen)
    assert len(heard) == 4
    assert answer.status == "feasible"
    assert answer.gap > 0
    for bound, objective in heard:
        assert objective <= bound if model == "max-cover" else bound <= objective


def test_what_a_listener_raises_ends_the_search() -> None:
    def fail(bound: float, objective: float) -> None:
        raise KeyboardInterrupt(bound, objective)

    for ask in QUESTIONS.values():
        with pytest.raises(KeyboardInterrupt):
            ask(on_progress=fail)


def test_the_last_that_is_told_is_the_answer() -> None:
    heard: list[tuple[float, float]] = []
    cost = np.random.default_rng(1).random((30, 10))
    for ask in (p_median, p_center):
        answer = ask(cost, 3, on_progress=lambda bound, objective: heard.append((bound, objective)))
        assert heard[-1] == (answer.bound, answer.objective)
    answer = max_cover(cost < 0.2, 3, on_progress=lambda bound, objective: heard.append((bound, objective)))
    assert heard[-1] == (answer.bound, answer.objective)
