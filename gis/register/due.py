"""What is due for inspection: structures past their day, and sites whose permit or safety check is.

Only structures and their sites are looked at: nothing here knows, or asks, who lives there.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from gis.errors import BadArgument
from gis.register import acts, divisions
from gis.terms import DueReason, Found

WITHIN_DAYS = 30
MOST_DAYS = 366


@dataclass(frozen=True)
class Due:
    """One structure, or one site (``number`` is then None), with all that makes it due."""

    number: int | None
    premises_id: int | None
    premises: str | None
    responsible_organisation: str | None
    division_code: int
    standard_address: str | None
    due_on: dt.date | None
    """The first day on which something of it is due; None where that was never done."""
    reasons: tuple[DueReason, ...]
    found: Found | None
    inspected_on: dt.date | None
    """The last inspection, and what it found."""


def find_due(  # noqa: PLR0913 - which, when, and a page of it
    connection: Connection,
    division: int | None = None,
    on: dt.date | None = None,
    within_days: int = WITHIN_DAYS,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Due]:
    """Return what is due in a division (everywhere where None) on a day (today where None) or so many days after it.

    Ordered by the day it is due, what never was done first. A structure is due from the day it expires, a permit
    holds until the end of its last day, and a safety check for a year; whoever looks after construction sites and
    sites of temporary structures has them checked. Raises BadArgument, UnknownDivision.
    """
    if not 0 <= within_days <= MOST_DAYS:
        raise BadArgument(why=f"within is from 0 to {MOST_DAYS} days")
    if division is not None:
        divisions.find_name(connection, division)
    first, end = (0, 10**12) if division is None else divisions.extent(division)
    values = {"first": first, "end": end, "on": on or acts.today(), "within": within_days}
    return [_due(row) for row in connection.execute(DUE, values | {"limit": limit, "offset": offset})]


def _due(row: Row[Any]) -> Due:
    """Return a row of the query."""
    known = row._asdict()
    reasons = tuple(DueReason(reason) for reason in known.pop("reasons"))
    found = known.pop("found")
    return Due(**known, reasons=reasons, found=None if found is None else Found(found))


# materialised, so that reasons are found once, and not again by the filter upon them
DUE = text("""
    WITH temporary AS MATERIALIZED (
        SELECT b.number, b.premises_id, p.name AS premises, p.responsible_organisation, b.division_code,
            b.expires_on AS due_on, i.found, i.inspected_on,
            array_remove(ARRAY[
                CASE WHEN b.expires_on <= CAST(:on AS date) THEN 'expired'
                    WHEN b.expires_on <= CAST(:on AS date) + CAST(:within AS int) THEN 'expiring' END,
                CASE WHEN b.expires_on > p.permit_until THEN 'beyond_permit' END,
                CASE WHEN p.closed_on IS NOT NULL THEN 'site_closed' END,
                CASE WHEN coalesce(i.found = 'changed', false) AND NOT EXISTS (
                    SELECT FROM reg.building_events e WHERE e.building_numbers @> ARRAY[b.number] AND e.seq > i.seq
                ) THEN 'found_changed' END
            ], NULL) AS reasons
        FROM reg.buildings b
        LEFT JOIN reg.premises p ON p.id = b.premises_id
        LEFT JOIN LATERAL (
            SELECT n.found, n.inspected_on, n.seq FROM reg.inspections n WHERE n.building_number = b.number
            ORDER BY n.inspected_on DESC, n.id DESC LIMIT 1
        ) i ON true
        WHERE b.status = 'active' AND b.expires_on IS NOT NULL
            AND b.division_code >= :first AND b.division_code < :end
    ), sites AS (
        SELECT p.*, CAST(p.safety_checked_on + interval '1 year' AS date) AS check_until,
            (p.kind = 'construction_site' OR EXISTS (
                SELECT FROM reg.buildings b
                WHERE b.premises_id = p.id AND b.status = 'active' AND b.expires_on IS NOT NULL
            )) AS houses_for_a_time,
            p.capacity_persons < (
                SELECT count(*) FROM reg.buildings b
                JOIN reg.dwellings w ON w.building_number = b.number AND w.status = 'exists'
                WHERE b.premises_id = p.id AND b.status = 'active' AND b.expires_on IS NOT NULL
            ) AS over_capacity
        FROM reg.premises p
        WHERE p.closed_on IS NULL AND p.division_code >= :first AND p.division_code < :end
    ), judged AS MATERIALIZED (
        SELECT s.*, array_remove(ARRAY[
                CASE WHEN s.permit_until < CAST(:on AS date) THEN 'permit_ended'
                    WHEN s.permit_until < CAST(:on AS date) + CAST(:within AS int) THEN 'permit_ending' END,
                CASE WHEN s.houses_for_a_time AND s.check_until IS NULL THEN 'check_missing'
                    WHEN s.houses_for_a_time AND s.check_until < CAST(:on AS date) THEN 'check_old' END,
                CASE WHEN s.over_capacity THEN 'over_capacity' END
            ], NULL) AS reasons
        FROM sites s
    )
    SELECT t.number, t.premises_id, t.premises, t.responsible_organisation, t.division_code, a.standard_address,
        t.due_on, t.reasons, t.found, t.inspected_on
    FROM temporary t
    LEFT JOIN reg.addresses a ON a.building_number = t.number AND a.main AND a.valid_to IS NULL
    WHERE cardinality(t.reasons) > 0
    UNION ALL
    SELECT NULL, j.id, j.name, j.responsible_organisation, j.division_code, NULL,
        CASE WHEN 'check_missing' = ANY (j.reasons) THEN NULL
            ELSE least(j.permit_until, CASE WHEN j.houses_for_a_time THEN j.check_until END) END,
        j.reasons, NULL, NULL
    FROM judged j
    WHERE cardinality(j.reasons) > 0
    ORDER BY due_on NULLS FIRST, premises_id, number NULLS FIRST LIMIT :limit OFFSET :offset
""")
