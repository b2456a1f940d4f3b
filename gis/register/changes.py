"""The change feed: what happened to buildings, in an order without gaps, so that another system can follow.

A follower asks for what comes after the last place it has seen. Places are given one after the other under one
lock, so nothing ever appears behind it. An entry carries the buildings' versions as the event left them: whoever
keeps the last of them for each number has the register. An import is one event; each of its buildings is an entry.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, text

from gis.errors import BadArgument
from gis.register import history

MOST = 1000
"""Entries of one page."""


def find_changes(connection: Connection, after: int, limit: int = 100) -> list[dict[str, Any]]:
    """Return the entries after a place in the order of events, oldest first, at most ``limit`` of them.

    Each has ``seq``, ``verb``, ``happened_on``, ``recorded_at``, ``reverts``, ``batch``, and ``buildings``: their
    numbers, what they are now on record as by this entry (``versions``, oldest first, shape in GeoJSON) and their
    parents. Raises BadArgument for a page of no size.
    """
    if not 1 <= limit <= MOST or after < 0:
        raise BadArgument(why=f"after is a place in the order, at least 0, and limit is from 1 to {MOST}")
    entries = connection.execute(ENTRIES, {"after": after, "limit": limit}).mappings().all()
    seqs = [entry["seq"] for entry in entries]
    touched: dict[int, list[dict[str, Any]]] = {seq: [] for seq in seqs}
    for row in connection.execute(BUILDINGS, {"seqs": seqs}).mappings():
        building = dict(row)
        touched[building.pop("seq")].append(building)
    return [dict(entry) | {"buildings": touched[entry["seq"]]} for entry in entries]


def find_place(connection: Connection, since: dt.datetime) -> int:
    """Return the place after which the entries recorded later than a moment come."""
    return history.seq_at(connection, since)


def find_head(connection: Connection) -> int:
    """Return the last place given so far."""
    return int(connection.execute(text("SELECT next_seq - 1 FROM reg.number_serials")).scalar_one())


# each arm is an index scan of at most a page
ENTRIES = text("""
    SELECT seq, verb, batch_id AS batch, reverts_seq AS reverts, happened_on, recorded_at FROM (
        (SELECT seq, verb, batch_id, reverts_seq, happened_on, recorded_at FROM reg.building_events
        WHERE seq > :after ORDER BY seq LIMIT :limit)
        UNION ALL
        (SELECT b.registered_seq, e.verb, e.batch_id, NULL, NULL, e.recorded_at
        FROM (SELECT registered_seq, batch_id FROM reg.buildings WHERE batch_id IS NOT NULL AND registered_seq > :after
            ORDER BY registered_seq LIMIT :limit) b
        JOIN reg.building_events e ON e.batch_id = b.batch_id)
    ) entries ORDER BY seq LIMIT :limit
""")
BUILDINGS = text("""
    WITH touched AS (
        SELECT e.seq, n.number FROM reg.building_events e CROSS JOIN LATERAL unnest(e.building_numbers) AS n(number)
        WHERE e.seq = ANY (:seqs)
        UNION ALL
        SELECT registered_seq, number FROM reg.buildings WHERE batch_id IS NOT NULL AND registered_seq = ANY (:seqs)
    )
    SELECT t.seq, t.number,
        (SELECT coalesce(jsonb_agg(l.parent_number ORDER BY l.parent_number), '[]'::jsonb)
        FROM calc.kinship l WHERE l.child_number = t.number) AS parents,
        (SELECT jsonb_agg(jsonb_build_object('since', v.since, 'until', v.until, 'kind', v.kind,
            'kind_assumed', v.kind_assumed, 'status', v.status, 'division', v.division_code,
            'place_assumed', v.place_assumed, 'premises', v.premises_id, 'entrances', v.entrances, 'floors', v.floors,
            'rooms_per_floor', v.rooms_per_floor, 'expires_on', v.expires_on, 'addresses', v.addresses,
            'dwellings', v.dwellings, 'geometry', ST_AsGeoJSON(CAST(v.geometry AS geometry), 15)::jsonb)
            ORDER BY v.since NULLS FIRST)
        FROM calc.building_timeline v
        WHERE v.building_number = t.number AND v.opened_seq <= t.seq
            AND (v.closed_seq IS NULL OR v.closed_seq > t.seq)) AS versions
    FROM touched t ORDER BY t.seq, t.number
""")
