"""Where the fiction stands: real counties, townships and villages, and the points of their towns.

Names, codes, boundaries and census figures are the bundled reference data. No township polygons are to be had:
a township's town stands at its GeoNames point where there is one (about 1 km accuracy), and anywhere sensible in its
county where there is none, which ``Township.generated`` tells; its villages are placed around it by invention.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import shapely

from data.fiction.shapes import Frame
from data.reference import FOLDER, boundaries, census, divisions
from gis.terms import DivisionLevel

_COUNTY: Final = 10**6
_YEAR: Final = 2020
_URBAN_DISTRICTS: Final = frozenset({640104, 640105, 640106, 640202, 640205, 640302, 640303, 640402, 640502})
_OTHER_URBAN_SHARE: Final = 0.42
"""Urban share of counties that the urban figures leave out: an assumption, near that of their neighbours."""
_SEATS: Final[dict[int, tuple[float, float, tuple[str, ...]]]] = {
    640104: (106.285, 38.470, ()),
    640105: (106.150, 38.492, ()),
    640106: (106.236, 38.474, ()),
    640121: (106.248, 38.279, ("杨和镇",)),
    640122: (106.348, 38.553, ("习岗镇",)),
    640181: (106.344, 38.090, ("东塔镇",)),
    640202: (106.385, 39.030, ()),
    640205: (106.769, 39.233, ()),
    640221: (106.541, 38.904, ("城关镇",)),
    640302: (106.201, 37.987, ("金星镇", "胜利镇", "上桥镇", "古城镇")),
    640303: (106.060, 37.410, ("红寺堡镇",)),
    640323: (107.403, 37.785, ("花马池镇",)),
    640324: (105.906, 36.981, ("豫海镇",)),
    640381: (106.075, 38.020, ("小坝镇",)),
    640402: (106.281, 36.007, ()),
    640422: (105.730, 35.965, ("吉强镇",)),
    640423: (106.117, 35.613, ("城关镇",)),
    640424: (106.331, 35.477, ("香水镇",)),
    640425: (106.639, 35.851, ("白阳镇",)),
    640502: (105.188, 37.511, ("滨河镇", "文昌镇")),
    640521: (105.677, 37.498, ("宁安镇",)),
    640522: (105.639, 36.564, ("海城镇",)),
}
"""Longitude, latitude of the county's main town (GeoNames, or rounded by hand); the towns it covers besides 街道."""
_BY_SOUND: Final = {
    "Wanghong": "望洪镇", "Wangyuan": "望远镇", "Minning": "闽宁镇", "Lijun": "李俊镇", "Jingui": "金贵镇",
    "Changxin": "常信乡", "Hongguang Qidui": "洪广镇", "Ligang": "立岗镇", "Wutongshu": "梧桐树乡",
    "Haojiaqiao": "郝家桥镇", "Chongxing": "崇兴镇", "Baitugang": "白土岗乡", "Shitanjing": "石炭井街道",
    "Zhangjiayuan": "张家塬乡", "Yuwang": "预旺镇", "Xingping": "兴平乡", "Malianchuan": "马莲乡", "Heicheng": "三河镇",
}  # fmt: skip
"""GeoNames points without a township code, told by their sound."""


@dataclass(frozen=True)
class Township:
    """A township and where its town stands."""

    name: str
    lon: float
    lat: float
    generated: bool
    """No source knows where it is: the point is invented."""
    in_seat: bool
    """Part of the county's main town."""
    communities: tuple[str, ...]
    villages: tuple[str, ...]


@dataclass(frozen=True)
class County:
    """A county, with all that addresses and layouts need of it."""

    code: int
    prefix: str
    """How its addresses begin."""
    boundary: shapely.Geometry
    """EPSG:4490."""
    frame: Frame
    """Metres around the main town, east and north."""
    townships: tuple[Township, ...]
    census: int
    urban_share: float
    urban_district: bool


def county_codes() -> list[int]:
    """Return the codes of the 22 counties, six digits, ascending."""
    return sorted(_SEATS)


@cache
def county_of(code: int) -> County:
    """Return a county by its six digits; KeyError for any other code."""
    lon, lat, _ = _SEATS[code]
    boundary = _boundaries()[code]
    frame = Frame(lon, lat, 0.0)
    names = _names()
    prefix = names[code // 10**4 * 10**10] + names[code // 100 * 10**8] + names[code * _COUNTY]
    return County(
        code=code,
        prefix=prefix,
        boundary=boundary,
        frame=frame,
        townships=_townships(code, boundary, frame),
        census=_census()[code],
        urban_share=_urban_shares()[code],
        urban_district=code in _URBAN_DISTRICTS,
    )


def _townships(code: int, boundary: shapely.Geometry, frame: Frame) -> tuple[Township, ...]:
    """Put every township of a county at its known place or, failing that, at an invented one."""
    lon, lat, covered = _SEATS[code]
    known = _points().get(code, {})
    below = _villages()
    listed = sorted((c, name) for c, name in _names().items() if c // _COUNTY == code and c % _COUNTY and not c % 1000)
    in_seat = {c for c, name in listed if name in covered or (name.endswith("街道") and name not in known)}
    placed = {c: (lon, lat) if c in in_seat else known[name] for c, name in listed if c in in_seat or name in known}
    missing = [c for c, _ in listed if c not in placed]
    placed |= dict(zip(missing, _invented(code, boundary, frame, list(placed.values()), len(missing)), strict=True))
    return tuple(
        Township(name, *placed[c], c in missing, c in in_seat, tuple(below[c][0]), tuple(below[c][1]))
        for c, name in listed
    )


def _invented(
    code: int, boundary: shapely.Geometry, frame: Frame, taken: list[tuple[float, float]], count: int
) -> list[tuple[float, float]]:
    """Return places for ``count`` towns inside the county, apart from each other and from those taken.

    The same for every seed, so that a township does not wander from sample to sample.
    """
    rng = np.random.default_rng([code])
    west, south, east, north = shapely.bounds(boundary)
    lonlat = np.column_stack([rng.uniform(west, east, 4000), rng.uniform(south, north, 4000)])
    outside_m = np.sqrt(_census()[code] * _urban_shares()[code] / 9000 / np.pi) * 1000 + 1500
    within = shapely.contains_xy(shapely.buffer(boundary, -0.012), lonlat)
    within &= np.hypot(*frame.to_metres(lonlat).T) > outside_m  # off the main town
    lonlat = lonlat[within][:800]
    xy = frame.to_metres(lonlat)
    liking = np.hypot(xy[:, 0], xy[:, 1]) * rng.uniform(0.3, 1.0, len(xy))
    homes = frame.to_metres(np.array(taken)) if taken else np.empty((0, 2))
    chosen: list[tuple[float, float]] = []
    apart_m = 0.72 * np.sqrt(shapely.area(boundary) * 9.8e9 / (count + len(taken) + 1))
    while len(chosen) < count:
        distance = np.min(np.hypot(*(xy[:, None] - homes[None]).transpose(2, 0, 1)), axis=1, initial=np.inf)
        fitting = np.flatnonzero(distance >= apart_m)
        if not fitting.size:
            apart_m *= 0.85
            continue
        best = fitting[np.argmin(liking[fitting])]
        chosen.append((round(float(lonlat[best, 0]), 5), round(float(lonlat[best, 1]), 5)))
        homes = np.vstack([homes, xy[best]])
    return chosen


@cache
def _names() -> dict[int, str]:
    """Return names by twelve-digit code, townships and above."""
    return {row.code: row.name for row in divisions() if row.level != DivisionLevel.VILLAGE}


@cache
def _villages() -> dict[int, tuple[list[str], list[str]]]:
    """Return the communities and the villages of each township, as addresses write them."""
    below: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for row in divisions():
        if row.level == DivisionLevel.VILLAGE and row.parent_code is not None:
            name = row.name.removesuffix("委会").removesuffix("民委员会").removesuffix("居").removesuffix("社区")
            rural = name.endswith("村") and "家园" not in name
            names = below[row.parent_code][rural]
            if (full := name if rural else f"{name}社区") not in names:
                names.append(full)
    return below


@cache
def _boundaries() -> dict[int, shapely.Geometry]:
    """Return the boundaries of the counties, EPSG:4490, by six digits."""
    found = {row.code // _COUNTY: shapely.from_geojson(row.geojson) for row in boundaries()}
    return {code: found[code] for code in _SEATS}


@cache
def _census() -> dict[int, int]:
    """Return residents of 2020 by county."""
    return {
        row.division_code // _COUNTY: row.residents
        for row in census()
        if row.year == _YEAR and not row.division_code % _COUNTY
    }


@cache
def _urban_shares() -> dict[int, float]:
    """Return the urban share of each county: of a city's districts together where only that is published."""
    residents = _census()
    shares = dict.fromkeys(_SEATS, _OTHER_URBAN_SHARE)
    for row in _read("urban_population_2020.csv"):
        code = row["code_or_area"]
        area = [int(code)]
        if int(code) in _URBAN_DISTRICTS or len(code) == 4:  # noqa: PLR2004 - a prefecture's code
            area = [c for c in _URBAN_DISTRICTS if str(c).startswith(code[:4])]
        share = int(row["urban_pop_2020"]) / sum(residents[c] for c in area)
        shares |= dict.fromkeys(area, share)
    return shares


@cache
def _points() -> dict[int, dict[str, tuple[float, float]]]:
    """Return longitude and latitude of the places GeoNames knows, by county and name of the township."""
    points: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in _read("ningxia_place_points_geonames.csv"):
        name = row["township_name"] or _BY_SOUND.get(row["name"], "")
        if name and not (row["name"] == "Sanhe" and row["county_code"] == "640522"):  # the seat, under an old name
            points[int(row["county_code"])].setdefault(name, (float(row["lon"]), float(row["lat"])))
    return points


def _read(name: str) -> list[dict[str, str]]:
    """Return the rows of a bundled CSV file."""
    return list(csv.DictReader((FOLDER / name).read_text("utf-8").splitlines()))
