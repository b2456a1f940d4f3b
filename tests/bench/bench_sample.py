"""How long the fictional sample takes, generated, sealed, registered and committed."""

import time

from api import sampling

RESIDENTS = 100_000
BAR_S = 60


def bench_sample_of_100_000_residents(database: str) -> None:
    """100,000 residents over the region into an empty register (bar: a minute on two cores)."""
    assert database
    start = time.perf_counter()
    summary = sampling.load_sample(county=None, residents=RESIDENTS, seed=1)
    seconds = time.perf_counter() - start
    assert summary.residents.registered == RESIDENTS
    print(f"\nsample of {RESIDENTS:,} residents: {seconds:.0f} s, {BAR_S / seconds:.1f} times as fast as the bar")
