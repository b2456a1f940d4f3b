"""A pooled connection carries nothing of one request into the next."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from gis.store import session

SETTINGS = (
    "SELECT current_user = session_user, coalesce(current_setting('menpai.actor', true), ''),"
    " coalesce(current_setting('menpai.purpose', true), '')"
)


class _Failed(Exception):  # noqa: N818 - not one of the program's
    """A request that goes wrong half way."""


@pytest.mark.usefixtures("database")
def test_under_load_no_role_actor_or_purpose_outlives_its_request() -> None:
    def request(number: int) -> list[str]:
        chance = random.Random(number)  # noqa: S311 - repeatable
        actor = chance.choice((None, f"actor {number}"))
        purpose = chance.choice((None, "move", "correction"))
        wrong = []
        with session.connect() as connection:
            if tuple(connection.execute(text(SETTINGS)).one()) != (True, "", ""):
                wrong.append("something was left")
        try:
            with session.open("registrar", actor=actor, purpose=purpose) as connection:
                seen = {tuple(connection.execute(text(SETTINGS)).one()) for _ in range(3)}
                if seen != {(False, actor or "", purpose or "")}:
                    wrong.append("somebody else's")
                if number % 3 == 0:
                    connection.execute(text("SELECT 1 / 0"))
                if number % 3 == 1:
                    raise _Failed  # noqa: TRY301 - as a request does
        except Exception:  # noqa: BLE001 - whatever ends a request, the next starts clean
            return wrong
        return wrong

    with ThreadPoolExecutor(24) as desks:
        assert [wrong for wrong in desks.map(request, range(600)) if wrong] == []
