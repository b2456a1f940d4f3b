"""Random requests as every kind of caller: no fault, no answer that is not described, nothing that is not theirs."""

import os
from collections.abc import Callable

import httpx
import psycopg
import pytest

from api import accounts
from gis.residents import keys
from gis.terms import Role
from tests.api.doors import INSIDE, PUBLIC
from tests.api.fuzzing import fuzz

CASES = int(os.environ.get("MENPAI_CASES") or 200)
"""For each kind of caller; ``make bench ARGS=tests/bench/bench_fuzzing.py`` sends 20,000."""


@pytest.fixture
def renew(database: str) -> Callable[[], None]:
    """Return what makes an ended session go on and forgets failures."""

    def again() -> None:
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE reg.account_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL")
            connection.execute("UPDATE reg.accounts SET disabled_at = NULL WHERE disabled_at IS NOT NULL")
            connection.execute("DELETE FROM reg.account_attempts")

    return again


@pytest.mark.long
@pytest.mark.parametrize("kind", [PUBLIC, *(role.value for role in Role)])
def test_random_requests_find_no_fault_nothing_undescribed_and_no_way_round(
    kind: str, address: str, structures: tuple[str, str, str], renew: Callable[[], None]
) -> None:
    assert structures
    keys.init()
    headers = {}
    if kind != PUBLIC:
        accounts.add("caller")
        accounts.grant("caller", Role(kind), INSIDE)
        headers = {"Authorization": f"Bearer {accounts.mint('caller').token}"}
    found = fuzz(address, kind, headers, CASES, renew)
    print(kind, found.cases, "requests", len(found.answers), "kinds of answer")  # noqa: T201 - for whoever measures
    assert found.cases >= CASES
    assert found.wrong == set()
    with httpx.Client(base_url=address) as client:
        assert client.get("/readyz").status_code == 200
