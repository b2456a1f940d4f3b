"""Buildings by number and by place: what is known of a structure, never of who lives there."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from sqlalchemy import Connection, Row, text

from api import answers, errors
from api.signing_in import Token, signed_in
from gis import numbering
from gis.errors import BuildingNotFound, InvalidNumber
from gis.register import history
from gis.store import session

router = APIRouter(tags=["buildings 建筑物"])
FARTHEST_M = 500
MOST_FOUND = 10

BY_NUMBER = text("SELECT *, ST_AsGeoJSON(geometry, 7) AS geojson FROM calc.structures WHERE number = :number")
# The index orders by degrees, which are not equally long both ways: take more than enough, then measure.
BY_POINT = text("""
    SELECT structure.*, ST_AsGeoJSON(structure.geometry, 7) AS geojson, near.distance_m
    FROM (
        SELECT number, ST_Distance(
            geometry::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)::geography
        ) AS distance_m
        FROM (
            SELECT number, geometry FROM reg.buildings WHERE status = 'active'
            ORDER BY geometry <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) LIMIT 40
        ) nearest
    ) near
    JOIN calc.structures structure USING (number)
    WHERE near.distance_m <= :within_m ORDER BY near.distance_m, number LIMIT :most
""")


@router.get("/api/buildings/{number}", responses=errors.documented(401, 404, 422, 503))
def building(
    number: Annotated[str, Path(description="twelve digits, or in groups CNNN NNNN NNKK")], token: Token
) -> Response:
    """Return one building by its number, with its shape in CGCS2000 longitude and latitude.

    A number always answers: of a building that is no more, ``successors`` are those that stand in its place today.
    """
    who = signed_in(token)
    with session.open(who.database_role) as connection:
        row = get_building(connection, number)
        came_of, became = history.find_kin(connection, row.number)
        successors = history.find_successors(connection, row.number) if became else []
    kin = {"came_of": came_of, "became": became, "successors": successors}
    return answers.json(described(row) | {name: [str(each) for each in numbers] for name, numbers in kin.items()})


@router.get("/api/buildings", responses=errors.documented(401, 422, 503))
def buildings(
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    token: Token,
    within_m: Annotated[float, Query(ge=0, le=FARTHEST_M, allow_inf_nan=False)] = 50,
) -> Response:
    """Return the active buildings at a point, those that contain it first (distance 0), then the nearest."""
    who = signed_in(token)
    with session.open(who.database_role) as connection:
        rows = connection.execute(BY_POINT, {"lon": lon, "lat": lat, "within_m": within_m, "most": MOST_FOUND}).all()
    return answers.json({"buildings": [described(row) | {"distance_m": round(row.distance_m, 1)} for row in rows]})


def get_building(connection: Connection, number: str) -> Row[Any]:
    """Return a building's row; raises InvalidNumber and BuildingNotFound."""
    if not numbering.is_valid(number):
        raise InvalidNumber(number=number[:40])
    row = connection.execute(BY_NUMBER, {"number": int(number.replace(" ", ""))}).first()
    if row is None:
        raise BuildingNotFound(number=numbering.show(number))
    return row


def described(row: Row[Any]) -> dict[str, Any]:
    """Return a building as the interface words it."""
    number = str(row.number)
    return {
        "number": number,
        "shown": numbering.show(number),
        "kind": row.kind,
        "kind_assumed": row.kind_assumed,
        "status": row.status,
        "standard_address": row.standard_address,
        "division": {"code": str(row.division_code), "name": row.division_name},
        "place_assumed": row.place_assumed,
        "premises": row.premises,
        "entrances": row.entrances,
        "floors": row.floors,
        "rooms_per_floor": row.rooms_per_floor,
        "dwellings": row.dwellings,
        "expires_on": row.expires_on,
        "geometry": orjson.Fragment(row.geojson),
    }
