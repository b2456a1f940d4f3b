"""Vector tiles: one SQL statement each, compressed once, with an ETag; nothing here can carry a person."""

import datetime as dt
import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection, text

from api import errors
from api.releases import ALL, PUBLIC_SIZE_M, CategoryName, allow, release_on
from api.signing_in import Token, caller
from gis.errors import BadArgument, NoRelease
from gis.store import session

router = APIRouter(prefix="/tiles", tags=["tiles 瓦片"])
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
DEEPEST_ZOOM = 22
BUILDINGS_FROM_ZOOM = 13
ROADS_FROM_ZOOM = 7
FINEST_AT_ZOOM = ((10, 100), (8, 500), (0, 1000))
"""From which zoom on squares of a size are drawn; farther out the next coarser ones stand in for them."""
CACHE_BYTES = 64 * 1024 * 1024
COMPRESSION = 6

Zoom = Annotated[int, Path(ge=0, le=DEEPEST_ZOOM)]
Place = Annotated[int, Path(ge=0, lt=2**DEEPEST_ZOOM)]
Size = Annotated[Literal["100", "500", "1000"], Query(description="side of the squares in metres")]
ReleaseDay = Annotated[dt.date | None, Query(description="day of a release; without it, the newest")]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "a tile", "content": {MEDIA_TYPE: {}}},
    204: {"description": "nothing is here"},
    304: {"description": "unchanged"},
}


@dataclass(frozen=True)
class Tile:
    """A tile as it is sent."""

    compressed: bytes
    etag: str

    @classmethod
    def of(cls, raw: bytes) -> "Tile":
        """Compress a tile and name it by its content."""
        return cls(gzip.compress(raw, COMPRESSION, mtime=0) if raw else b"", hashlib.sha256(raw).hexdigest()[:32])


class TileCache:
    """Tiles made before, the least used forgotten first.

    The version is part of the key, so that a tile is found again only while what it was made from stands.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        """Begin empty."""
        self._tiles: OrderedDict[tuple[object, ...], Tile] = OrderedDict()
        self._bytes = 0
        self._most_bytes = most_bytes
        self._lock = threading.Lock()

    def find(self, key: tuple[object, ...]) -> Tile | None:
        """Return a tile, or None."""
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def keep(self, key: tuple[object, ...], tile: Tile) -> None:
        """Keep a tile, and forget others where there is no room."""
        with self._lock:
            before = self._tiles.pop(key, None)
            self._tiles[key] = tile
            self._bytes += len(tile.compressed) - (len(before.compressed) if before else 0)
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._tiles.popitem(last=False)[1].compressed)


cache = TileCache()


@router.get("/buildings/{z}/{x}/{y}.mvt", responses=errors.documented(401, 422, 503) | ANSWERS)
def buildings(request: Request, z: Zoom, x: Place, y: Place, token: Token) -> Response:
    """Buildings from zoom 13 on, with number, kind, status, standard_address and division; no counts."""
    who = caller(token)
    _check(z, x, y)
    if z < BUILDINGS_FROM_ZOOM:
        return _sent(request, Tile.of(b""), private=who.signed_in)
    with session.open(who.database_role) as connection:
        raw = connection.execute(text("SELECT calc.buildings_tile(:z, :x, :y)"), {"z": z, "x": x, "y": y}).scalar_one()
    return _sent(request, Tile.of(raw), private=who.signed_in)


@router.get("/divisions/{z}/{x}/{y}.mvt", responses=errors.documented(401, 403, 404, 422, 503) | ANSWERS)
def divisions(  # noqa: PLR0913, PLR0917 - each is a part of the address
    request: Request,
    z: Zoom,
    x: Place,
    y: Place,
    token: Token,
    category: CategoryName = "all",
    release: ReleaseDay = None,
) -> Response:
    """Divisions that have a boundary: code, name, level, and where counts are released n, withheld, density per km².

    Without a planner's account all residents only. Before the first release there are no counts.
    """
    who = caller(token)
    allow(who, category, PUBLIC_SIZE_M)
    _check(z, x, y)
    with session.open(who.database_role) as connection:
        day, released = _release(connection, release)
        version = connection.execute(text("SELECT calc.divisions_version()")).scalar_one()
        tile = _made(
            connection,
            ("divisions", version, released),
            "SELECT calc.divisions_tile(:z, :x, :y, :category, CAST(:release AS date))",
            {"z": z, "x": x, "y": y, "category": category, "release": day},
        )
    return _sent(request, tile, private=category != ALL or who.signed_in)


@router.get("/roads/{z}/{x}/{y}.mvt", responses=errors.documented(401, 422, 503) | ANSWERS)
def roads(request: Request, z: Zoom, x: Place, y: Place, token: Token) -> Response:
    """Roads from zoom 7 on, finer classes farther in: road_class, name, oneway, and whether foot and motor may pass."""
    who = caller(token)
    _check(z, x, y)
    if z < ROADS_FROM_ZOOM:
        return _sent(request, Tile.of(b""), private=who.signed_in)
    with session.open(who.database_role) as connection:
        version = connection.execute(text("SELECT calc.roads_version()")).scalar_one()
        tile = _made(connection, ("roads", version), "SELECT calc.roads_tile(:z, :x, :y)", {"z": z, "x": x, "y": y})
    return _sent(request, tile, private=who.signed_in)


@router.get("/cells/{z}/{x}/{y}.mvt", responses=errors.documented(401, 403, 404, 422, 503) | ANSWERS)
def cells(  # noqa: PLR0913, PLR0917 - each is a part of the address
    request: Request,
    z: Zoom,
    x: Place,
    y: Place,
    token: Token,
    category: CategoryName = "all",
    size: Size = "1000",
    release: ReleaseDay = None,
) -> Response:
    """Released counts by square: cell, n, withheld, category, release.

    Without a planner's account all residents at 1 km only. Far out, coarser squares stand in for fine ones.
    """
    who = caller(token)
    allow(who, category, int(size))
    _check(z, x, y)
    drawn_m = max(int(size), next(size_m for zoom, size_m in FINEST_AT_ZOOM if z >= zoom))
    with session.open(who.database_role) as connection:
        day = release_on(connection, release)
        tile = _made(
            connection,
            ("cells", _version(connection, day)),
            "SELECT calc.cells_tile(:z, :x, :y, :size, :category, :release)",
            {"z": z, "x": x, "y": y, "size": drawn_m, "category": category, "release": day},
        )
    return _sent(request, tile, private=category != ALL or int(size) < PUBLIC_SIZE_M or who.signed_in)


@router.get("/facilities/{z}/{x}/{y}.mvt", responses=errors.documented(401, 422, 503) | ANSWERS)
def facilities(request: Request, z: Zoom, x: Place, y: Place, token: Token) -> Response:
    """Facilities that stand: kind, name, address."""
    who = caller(token)
    _check(z, x, y)
    with session.open(who.database_role) as connection:
        raw = connection.execute(text("SELECT calc.facilities_tile(:z, :x, :y)"), {"z": z, "x": x, "y": y}).scalar_one()
    return _sent(request, Tile.of(raw), private=who.signed_in)


def _release(connection: Connection, day: dt.date | None) -> tuple[dt.date | None, str | None]:
    """Return a release and its version, neither before the first one; raises NoRelease where a day has none."""
    try:
        found = release_on(connection, day)
    except NoRelease:
        if day is not None:
            raise
        return None, None
    return found, _version(connection, found)


def _version(connection: Connection, day: dt.date) -> str:
    """Return what a release is known by."""
    version: str = connection.execute(text("SELECT calc.release_version(:day)"), {"day": day}).scalar_one()
    return version


def _check(z: int, x: int, y: int) -> None:
    """Raise BadArgument where a zoom has no such tile."""
    if max(x, y) >= 2**z:
        raise BadArgument(why=f"zoom {z} has tiles 0 to {2**z - 1} each way")


def _made(connection: Connection, version: tuple[object, ...], statement: str, of: dict[str, object]) -> Tile:
    """Return a tile from the cache where it was made from this version, else make it."""
    key = (*version, *of.values())
    tile = cache.find(key)
    if tile is None:
        tile = Tile.of(connection.execute(text(statement), of).scalar_one())
        cache.keep(key, tile)
    return tile


def _sent(request: Request, tile: Tile, *, private: bool) -> Response:
    """Return a tile, or 304 where the caller holds it already, or 204 where it is empty."""
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{tile.etag}{"" if zipped else "-plain"}"'
    headers = {
        "Cache-Control": "private, no-cache" if private else "public, no-cache",
        "ETag": etag,
        "Vary": "Accept-Encoding, Authorization",
    }
    if etag in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    if not tile.compressed:
        return Response(status_code=204, headers=headers)
    if zipped:
        return Response(tile.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=MEDIA_TYPE)
    return Response(gzip.decompress(tile.compressed), headers=headers, media_type=MEDIA_TYPE)
