"""What the doors for acts have in common: what is said of an act, a structure as JSON, and who may do it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import shapely
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from api import answers
from api.accounts import Caller
from api.jurisdiction import may_register
from gis import numbering
from gis.errors import BadStructure, BuildingNotFound, InvalidNumber
from gis.register.acts import Act, Done
from gis.register.divisions import parse_code
from gis.register.dwellings import Room
from gis.register.structures import Structure
from gis.terms import BuildingKind

Words = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=1, le=999)]
Shape = Annotated[dict[str, Any], Field(description="GeoJSON geometry in CGCS2000 longitude and latitude")]
Numbers = Annotated[tuple[Words, ...], Field(max_length=100)]


class Strict(BaseModel):
    """A body that takes no field it does not know: a misspelt one would be lost silently."""

    model_config = ConfigDict(extra="forbid")


class Said(Strict):
    """What is said of an act beside what it does."""

    reason: Words | None = None
    source_document: Words | None = None
    happened_on: dt.date | None = None
    client_uuid: uuid.UUID | None = None


class RoomBody(Strict):
    """A dwelling as its door names it."""

    room: Annotated[str, Field(min_length=1, max_length=20)]
    entrance: Annotated[int, Field(ge=1, le=99)] | None = None
    floor: Annotated[int, Field(ge=-9, le=200)] | None = None


class ReferenceBody(Strict):
    """Another body's code."""

    source: Words
    code: Words


class StructureBody(Strict):
    """A structure as a desk describes it."""

    geometry: Shape
    kind: BuildingKind = BuildingKind.RESIDENTIAL
    standard_address: Words | None = None
    other_addresses: Numbers = ()
    entrances: Count | None = None
    floors: Count | None = None
    rooms_per_floor: Count | None = None
    rooms: Annotated[tuple[RoomBody, ...], Field(max_length=1000)] = ()
    premises_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    expires_on: dt.date | None = None
    division: str | None = None
    references: Annotated[tuple[ReferenceBody, ...], Field(max_length=20)] = ()
    distinct_from: Numbers = ()


def act_of(who: Caller, said: Said) -> Act:
    """Return the act of a caller."""
    return Act(str(who.name), said.reason, said.source_document, said.happened_on, said.client_uuid)


def shape_of(geometry: dict[str, Any]) -> BaseGeometry:
    """Return a GeoJSON geometry as a shape; raises BadStructure."""
    try:
        return shapely.from_geojson(orjson.dumps(geometry))
    except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
        raise BadStructure(why="its geometry is no GeoJSON geometry") from error


def structure_of(body: StructureBody) -> Structure:
    """Return what a desk says of a structure; raises BadStructure, InvalidNumber, UnknownDivision."""
    return Structure(
        shape_of(body.geometry),
        body.kind,
        body.standard_address,
        body.other_addresses,
        body.entrances,
        body.floors,
        body.rooms_per_floor,
        [Room(each.room, each.entrance, each.floor) for each in body.rooms],
        body.premises_id,
        body.expires_on,
        None if body.division is None else parse_code(body.division),
        references_of(body.references),
        numbers_of(body.distinct_from),
    )


def references_of(bodies: Sequence[ReferenceBody]) -> list[tuple[str, str]]:
    """Return other bodies' codes as the register takes them."""
    return [(body.source, body.code) for body in bodies]


def numbers_of(written: Sequence[str]) -> list[int]:
    """Return building numbers as integers; raises InvalidNumber."""
    return [number_of(number) for number in written]


def number_of(written: str) -> int:
    """Return a building number, plain or in groups, as an integer; raises InvalidNumber."""
    if not numbering.is_valid(written):
        raise InvalidNumber(number=written[:40])
    return int(written.replace(" ", ""))


def check_jurisdiction(connection: Connection, who: Caller, numbers: Sequence[int]) -> None:
    """Raise NotAllowed unless the caller is a registrar where all of the buildings stand; BuildingNotFound."""
    rows = connection.execute(
        text("SELECT number, division_code FROM reg.buildings WHERE number = ANY (:numbers)"),
        {"numbers": list(numbers)},
    ).all()
    known = {row.number for row in rows}
    for number in numbers:
        if number not in known:
            raise BuildingNotFound(number=numbering.show(str(number)))
    for division in {row.division_code for row in rows}:
        may_register(who, division)


def told(done: Done, status: int = 200) -> Response:
    """Return what an act did."""
    numbers = [str(number) for number in done.numbers]
    return answers.json({"seq": done.seq, "buildings": numbers, "repeated": done.repeated}, status)
