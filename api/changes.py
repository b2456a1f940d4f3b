"""The change feed, and a building's history: what happened, what was known when, and what became of it."""

import datetime as dt
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import acting, answers, errors
from api.accounts import Caller
from api.registering import Number
from api.signing_in import Token, signed_in
from gis import numbering
from gis.errors import BadArgument, BuildingNotFound, NotAllowed, ReferenceNotFound
from gis.register import changes, history
from gis.register.versions import Version, at
from gis.store import session
from gis.terms import Role

router = APIRouter(tags=["changes 变更"])
REFUSALS = errors.documented(401, 403, 404, 422, 503)


@router.get("/api/changes", responses=errors.documented(401, 403, 422, 503))
def feed(
    token: Token,
    after: Annotated[int, Query(ge=0, le=2**62, description="the last seq you have")] = 0,
    since: Annotated[dt.datetime | None, Query(description="instead of after: a moment with its time zone")] = None,
    limit: Annotated[int, Query(ge=1, le=changes.MOST)] = 100,
) -> Response:
    """Return what happened after a place in the order of events; ask again with ``next`` until nothing comes.

    Every seq occurs once, in order, and nothing ever appears behind one that was given. ``versions`` of a building
    are its whole life as known by that event; the last one is the present. A seq without buildings is an import,
    whose buildings follow it.
    """
    who = _reader(token)
    with session.open(who.database_role) as connection:
        place = after if since is None else changes.find_place(connection, _zoned(since))
        entries = changes.find_changes(connection, place, limit)
        head = changes.find_head(connection)
    return answers.json(
        {
            "changes": [_entry(entry) for entry in entries],
            "next": entries[-1]["seq"] if entries else max(place, 0),
            "head": head,
        }
    )


@router.get("/api/buildings/{number}/history", responses=REFUSALS)
def life(
    number: Number,
    token: Token,
    recorded_at: Annotated[dt.datetime | None, Query(description="as the register knew it then")] = None,
    on: Annotated[dt.date | None, Query(description="only what was so on that day")] = None,
) -> Response:
    """Return what a building was and when (``during``), as known now or then, with every event and its kin."""
    who = _reader(token)
    wanted = acting.number_of(number)
    with session.open(who.database_role) as connection:
        known = history.find_versions(connection, wanted, None if recorded_at is None else _zoned(recorded_at))
        events = history.find_events(connection, wanted)
        parents, children = history.find_kin(connection, wanted)
        successors = history.find_successors(connection, wanted)
        references = history.find_references(connection, wanted)
    if not events:
        raise BuildingNotFound(number=numbering.show(str(wanted)))
    shown = [version for version in known if on is None or at([version], on)]
    return answers.json(
        {
            "number": str(wanted),
            "versions": [_version(version) for version in shown],
            "events": [_event(event._mapping) for event in events],  # noqa: SLF001 - SQLAlchemy's public name for it
            "references": [{"source": row.source, "code": row.code, "seq": row.seq} for row in references],
            "came_of": [str(parent) for parent in parents],
            "became": [str(child) for child in children],
            "successors": [str(successor) for successor in successors],
        }
    )


@router.get("/api/references", responses=REFUSALS)
def reference(
    token: Token,
    source: Annotated[str, Query(min_length=1, max_length=200, description="whose code it is")],
    code: Annotated[str, Query(min_length=1, max_length=200)],
) -> Response:
    """Return the building that another body knows by a code of its own (real-estate unit, cadastre, OSM, …)."""
    who = _reader(token)
    with session.open(who.database_role) as connection:
        number = history.find_by_reference(connection, source, code)
    if number is None:
        raise ReferenceNotFound(source=source, code=code)
    return answers.json({"number": str(number), "shown": numbering.show(str(number))})


def _reader(token: str | None) -> Caller:
    """Return who asks; raises NotAllowed for an account that is neither registrar nor planner."""
    who = signed_in(token)
    if not (who.has(Role.REGISTRAR) or who.has(Role.PLANNER)):
        raise NotAllowed(who=who.name, what="read the history of buildings")
    return who


def _zoned(moment: dt.datetime) -> dt.datetime:
    """Return a moment that has a time zone; raises BadArgument for one that has none."""
    if moment.tzinfo is None:
        raise BadArgument(why="a moment needs its time zone, such as 2026-05-01T12:00:00+08:00")
    return moment


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of the feed as the interface words it."""
    buildings = [
        {
            "number": str(building["number"]),
            "came_of": [str(parent) for parent in building["parents"]],
            "versions": [version | {"division": str(version["division"])} for version in building["versions"]],
        }
        for building in entry["buildings"]
    ]
    return entry | {"buildings": buildings}


def _event(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row as a mapping
    """Return an event of a building as the interface words it."""
    names = ("seq", "verb", "actor", "reason", "source_document", "happened_on", "recorded_at", "undone")
    return {name: row[name] for name in names} | {"batch": row["batch_id"], "reverts": row["reverts_seq"]}


def _version(version: Version) -> dict[str, Any]:
    """Return a version as the interface words it."""
    state = version.state
    geometry = shapely.to_geojson(shapely.from_wkb(bytes.fromhex(state.geometry)))
    return {
        "during": {"from": version.since, "until": version.until},
        "recorded_by": version.opened_seq,
        "kind": state.kind,
        "kind_assumed": state.kind_assumed,
        "status": state.status,
        "division": str(state.division_code),
        "place_assumed": state.place_assumed,
        "premises": state.premises_id,
        "entrances": state.entrances,
        "floors": state.floors,
        "rooms_per_floor": state.rooms_per_floor,
        "expires_on": state.expires_on,
        "addresses": [{"standard_address": address, "main": main} for address, main in state.addresses],
        "dwellings": [_dwelling(*dwelling) for dwelling in state.dwellings],
        "geometry": orjson.Fragment(geometry),
    }


def _dwelling(sequence: int, *rest: object) -> dict[str, Any]:
    """Return a dwelling as the interface words it; who lives there is nobody's business here."""
    return {"sequence": sequence, **dict(zip(("entrance", "floor", "room", "status"), rest, strict=True))}
