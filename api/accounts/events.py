"""What was done to accounts, by whom: grants and closings are told by triggers, the rest from here."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.store import session
from gis.terms import AccountAct

MOST = 500


@dataclass(frozen=True)
class AccountEventRow:
    """One act, as a list shows it."""

    id: int
    at: dt.datetime
    actor: str
    act: str
    account: str
    role: str | None
    division: str | None
    valid_until: dt.date | None


def record(connection: Connection, act: AccountAct, account: int, *, by_itself: bool = False) -> None:
    """Tell of an act in the same transaction; ``by_itself`` where the account is the one who acts."""
    connection.execute(
        text(
            "INSERT INTO reg.account_events (actor, act, account_id) SELECT"
            " CASE WHEN :by_itself THEN a.name ELSE calc.account_actor() END, :act, a.id"
            " FROM reg.accounts a WHERE a.id = :account"
        ),
        {"act": act.value, "account": account, "by_itself": by_itself},
    )


def find_events(before: int | None = None, limit: int = 100, name: str | None = None) -> list[AccountEventRow]:
    """Return acts, the newest first, up to ``MOST``; ``before`` is the id of the last one seen."""
    with session.open("accounts") as connection:
        rows = connection.execute(
            text(
                "SELECT e.id, e.at, e.actor, e.act, a.name, e.role, e.division_code::text, e.valid_until"
                " FROM reg.account_events e JOIN reg.accounts a ON a.id = e.account_id"
                " WHERE (CAST(:before AS bigint) IS NULL OR e.id < :before)"
                " AND (CAST(:name AS text) IS NULL OR a.name = :name) ORDER BY e.id DESC LIMIT :most"
            ),
            {"before": before, "name": name, "most": min(limit, MOST)},
        ).all()
    return [AccountEventRow(*row) for row in rows]
