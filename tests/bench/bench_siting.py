"""How good and how fast sites are chosen, beside spopt and a plain HiGHS model: CPU seconds, gap, memory.

Instances that are not shipped are read from MENPAI_TEST_DATA; without it their lines are left out. Where a published
instance is missing, one of its kind is made: a random network (as OR-Library's generator), a town of random places.
"""

import csv
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from gis.planning.siting import Siting, curve, max_cover, p_center, p_median, set_cover
from gis.planning.siting.clock import Clock
from gis.planning.siting.milp import Programme, solve

FOLDER = Path(os.environ.get("MENPAI_TEST_DATA", "")) / "siting"
PEER_S = int(os.environ.get("MENPAI_BENCH_PEER_S", "300"))
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
CAPACITATED = {"SJC1": 17288.99, "SJC2": 33270.94, "SJC3a": 45335.16}
here_only = pytest.mark.skipif(not FOLDER.is_dir(), reason="MENPAI_TEST_DATA is not set")


def timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    """Return an answer and the CPU seconds it took."""
    start = time.process_time()
    answer = ask()
    return answer, time.process_time() - start


def tell(name: str, answer: Siting, cpu: float, more: str = "") -> None:
    """Print one line."""
    print(f"{name:34} {answer.status:10} {answer.objective:14,.2f} gap {answer.gap:8.4%} {cpu:7.2f} s CPU {more}")


def network(number: int) -> tuple[Any, int]:
    """Return the ways of an OR-Library network, and p; the last of repeated edges counts."""
    numbers = np.array((FOLDER / "pmed" / f"pmed{number}.txt").read_text("ascii").split(), dtype=np.int64)
    n, many, p = numbers[:3]
    ways = np.full((n, n), np.inf)
    for a, b, cost in numbers[3 : 3 + 3 * many].reshape(-1, 3):
        ways[a - 1, b - 1] = ways[b - 1, a - 1] = cost
    return csgraph.floyd_warshall(ways), int(p)


def random_network(n: int, seed: int) -> Any:  # noqa: ANN401 - an array
    """Return the ways of a network like OR-Library's: n²/50 random edges of 1 to 100, and a ring that joins them."""
    random = np.random.default_rng(seed)
    a, b = random.integers(0, n, (2, n * n // 50))
    ways = np.full((n, n), np.inf)
    ways[np.arange(n), np.roll(np.arange(n), 1)] = random.integers(1, 101, n)
    ways[a, b] = random.integers(1, 101, len(a))
    return csgraph.floyd_warshall(np.minimum(ways, ways.T))


def town(n: int, m: int, seed: int = 0) -> tuple[Any, Any]:
    """Return the ways from n places to m candidates in a unit square, and how many live at each place."""
    random = np.random.default_rng(seed)
    homes, sites = random.random((n, 2)), random.random((m, 2))
    ways = np.hypot(*(homes[:, None, :] - sites).transpose(2, 0, 1))
    return ways, random.integers(1, 60, n)


def near(n: int, m: int, radius: float, seed: int = 0) -> tuple[Any, Any]:
    """Return the same as a sparse matrix of the pairs within a radius."""
    random = np.random.default_rng(seed)
    homes, sites = random.random((n, 2)), random.random((m, 2))
    parts = []
    for first in range(0, n, 2000):
        ways = np.hypot(*(homes[first : first + 2000, None, :] - sites).transpose(2, 0, 1))
        ways[ways > radius] = 0
        parts.append(sparse.csr_array(ways))
    return sparse.vstack(parts, format="csr"), random.integers(1, 60, n)


@here_only
def bench_published_medians() -> None:
    """All proven; and the heuristic alone, on three seeds."""
    whole = alone = 0.0
    for number, best in OPTIMA.items():
        ways, p = network(number)
        answer, cpu = timed(lambda ways=ways, p=p: p_median(ways, p))  # type: ignore[misc]
        whole += cpu
        assert (answer.status, answer.objective) == ("optimal", best)
        for seed in range(3):
            quick, cpu = timed(lambda ways=ways, p=p, seed=seed: p_median(ways, p, prove=False, seed=seed))  # type: ignore[misc]
            alone += cpu / 3
            assert quick.objective == best
    print(f"pmed, 20 of 40: all proven in {whole:.2f} s CPU, heuristic right on three seeds, {alone:.2f} s CPU each")


def bench_random_networks() -> None:
    """Medians of networks of the published kind that no one has tuned to."""
    for seed, (n, p) in enumerate([(200, 5), (300, 60), (500, 10), (700, 5), (900, 10), (900, 90)]):
        ways = random_network(n, seed)
        answer, cpu = timed(lambda ways=ways, p=p: p_median(ways, p))  # type: ignore[misc]
        tell(f"network {n}, p {p}", answer, cpu)


def _peak(ask: Callable[[int, int], None], n: int, p: int, pipe: Any) -> None:  # noqa: ANN401 - a pipe's end
    """Send CPU seconds and the memory above what the process had before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, cpu = timed(lambda: ask(n, p))
    pipe.send((cpu, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def _ours(n: int, p: int) -> None:
    """Solve a network."""
    assert p_median(random_network(n, 7), p).status == "optimal"


def _spopt(n: int, p: int) -> None:
    """Let spopt solve it with HiGHS."""
    from pulp import HiGHS  # noqa: PLC0415 - only the process that measures it needs it
    from spopt.locate import PMedian  # noqa: PLC0415

    model = PMedian.from_cost_matrix(random_network(n, 7), np.ones(n), p_facilities=p)
    model.solve(HiGHS(msg=False, timeLimit=PEER_S))


def measured(ask: Callable[[int, int], None], n: int, p: int) -> tuple[float, float]:
    """Return CPU seconds and MB of an answer in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_peak, args=(ask, n, p, there))
    child.start()
    found: tuple[float, float] = here.recv() if here.poll(PEER_S * 3) else (np.inf, np.inf)
    child.kill()
    return found


def bench_medians_beside_spopt() -> None:
    """CPU and memory in one run, network made in it."""
    for n, p in ((200, 5), (300, 5), (900, 90)):
        mine, theirs = measured(_ours, n, p), measured(_spopt, n, p)
        print(
            f"network {n}, p {p}: {mine[0]:.2f} s, {mine[1]:.0f} MB; spopt+HiGHS {theirs[0]:.1f} s, {theirs[1]:.0f} MB;"
            f" {theirs[0] / mine[0]:.0f} times the CPU, {theirs[1] / max(1, mine[1]):.1f} times the memory"
        )


def bench_large_medians() -> None:
    """10,000 × 2,000, p 50, and 100,000 × 5,000, p 100, the second sparse; limits are generous: CPU is what counts."""
    ways, people = town(10_000, 2_000)
    answer, cpu = timed(lambda: p_median(ways, 50, weights=people, prove=False, time_limit_s=60))
    tell("p-median 10,000 × 2,000, p 50", answer, cpu, f"{answer.seconds:.1f} s")
    stored, people = near(100_000, 5_000, 0.15)
    answer, cpu = timed(lambda: p_median(stored, 100, weights=people, prove=False, time_limit_s=200))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    tell("p-median 100,000 × 5,000, p 100", answer, cpu, f"{answer.seconds:.1f} s, process peak {peak_gb:.2f} GB")


@here_only
def bench_capacities() -> None:
    """Published, and of their kind from the same city."""
    for name, best in CAPACITATED.items():
        table = np.loadtxt(FOLDER / "cpmp" / f"{name}.dat", skiprows=1)
        p = int((FOLDER / "cpmp" / f"{name}.dat").read_text("ascii").split()[1])
        answer, cpu = timed(lambda table=table, p=p: _allotted(table[:, :2], table[:, 2], table[:, 3], p))  # type: ignore[misc]
        tell(name, answer, cpu, f"{answer.objective / best - 1:+.3%} of the best known")
    places = np.loadtxt(FOLDER / "mclp" / "SJC818.txt", skiprows=1)
    demand = np.loadtxt(FOLDER / "mclp" / "demand-SJC818.dat")
    for n, p, room in ((300, 30, 740), (402, 30, 840), (402, 40, 840)):
        asked = (places[:n], np.full(n, float(room)), demand[:n], p)
        answer, cpu = timed(lambda asked=asked: _allotted(*asked))  # type: ignore[misc]
        tell(f"first {n} of SJC818, p {p}", answer, cpu)


def _allotted(places: Any, capacity: Any, demand: Any, p: int) -> Siting:  # noqa: ANN401 - arrays
    """Solve a capacitated p-median of straight ways, unweighted."""
    ways = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    ones = np.ones(len(ways))
    return p_median(ways, p, weights=ones, demand=demand, capacity=capacity, time_limit_s=120)


def bench_divided_demand() -> None:
    """2,000 × 500 in a minute."""
    ways, people = town(2_000, 500)
    for p, tight in ((20, 0.8), (50, 0.7)):
        room = np.random.default_rng(1).uniform(0.6, 1.4, 500)
        room *= people.sum() / (tight * p * room.mean())
        asked: dict[str, Any] = {"weights": people, "demand": people, "capacity": room, "divisible": True}
        answer, cpu = timed(lambda p=p, asked=asked: p_median(ways, p, time_limit_s=60, **asked))  # type: ignore[misc]
        tell(f"divided 2,000 × 500, p {p}", answer, cpu)


@here_only
def bench_published_covers() -> None:
    """All cases of São José dos Campos."""
    with (FOLDER / "mclp" / "proven_optima.csv").open(encoding="ascii") as file:
        cases = list(csv.DictReader(file))
    total = 0.0
    for case in cases:
        places = np.loadtxt(FOLDER / "mclp" / f"{case['inst']}.txt", skiprows=1)
        demand = np.loadtxt(FOLDER / "mclp" / f"demand-{case['inst']}.dat")
        covers = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) <= float(case["R"])
        asked = (covers, int(case["p"]), demand)
        answer, cpu = timed(lambda asked=asked: max_cover(asked[0], asked[1], weights=asked[2]))  # type: ignore[misc]
        assert (answer.status, answer.objective) == ("optimal", int(case["opt"]))
        total += cpu
    print(f"maximal cover, {len(cases)} cases of São José dos Campos: all proven in {total:.2f} s CPU")


def bench_large_covers() -> None:
    """Maximal cover of 100,000 × 5,000, and set cover of 10,000 × 2,000 beside a plain HiGHS model."""
    stored, people = near(100_000, 5_000, 0.04)
    answer, cpu = timed(lambda: max_cover(stored > 0, 100, weights=people, time_limit_s=60))
    tell("max-cover 100,000 × 5,000, p 100", answer, cpu, f"{answer.seconds:.1f} s")
    covers = near(10_000, 2_000, 0.05)[0] > 0
    covers = sparse.csr_array(covers[np.diff(covers.indptr) > 0])
    answer, cpu = timed(lambda: set_cover(covers, time_limit_s=PEER_S))
    tell("set cover 10,000 × 2,000", answer, cpu)
    n, m = covers.shape
    ones, whole = np.ones(m), np.ones(m, bool)
    plain = Programme(
        ones, sparse.csr_array(covers, dtype=np.float64), np.ones(n), np.full(n, highspy.kHighsInf), ones, whole
    )
    found, theirs = timed(lambda: solve(plain, Clock(PEER_S)))
    print(f"  plain HiGHS {theirs:.1f} s CPU, proven {found.proven}: {theirs / cpu:.1f} times the CPU")


@here_only
def bench_centers() -> None:
    """The p-center of every published network that is here."""
    total = 0.0
    for number in OPTIMA:
        ways, p = network(number)
        answer, cpu = timed(lambda ways=ways, p=p: p_center(ways, p))  # type: ignore[misc]
        total += cpu
        assert answer.status == "optimal"
    print(f"p-center of 20 pmed networks: all proven in {total:.2f} s CPU")


def bench_curve() -> None:
    """A curve beside so many questions."""
    ways, people = town(2_000, 500)
    found, cpu = timed(lambda: curve(ways, 30, weights=people, time_limit_s=600))
    singles, theirs = timed(lambda: [p_median(ways, p, weights=people) for p in range(1, 31)])
    worst = max(one / each.objective - 1 for one, each in zip(found.objective, singles, strict=True))
    print(
        f"curve of 30: {cpu:.1f} s CPU, gap {found.gap.max():.3%}, worst {worst:.3%}; 30 questions {theirs:.1f} s CPU"
    )
