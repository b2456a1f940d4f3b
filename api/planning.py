"""A plan put on paper: what a door does with a plan that was made, for the command line and the service alike."""

import html
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import shapely
from sqlalchemy import Row

from api.trials import is_fictional
from gis import settings
from gis.errors import NoRelease, UnknownFormat
from gis.planning import density
from gis.register import divisions
from gis.store import session
from maps import plan as drawing
from maps.plan import PlanMap

WHOLE_REGION = 640_000_000_000
MOST_SQUARES = 4000
"""Squares that a page draws at once as shapes."""
FORMATS = (".html", ".geojson", ".gpkg")


def check_format(out: Path) -> None:
    """Raise UnknownFormat for a suffix that no plan is written as."""
    if out.suffix.lower() not in FORMATS:
        raise UnknownFormat(path=out, known=", ".join(FORMATS))


def write(row: Row[Any], out: Path) -> None:
    """Write a plan that was made; raises UnknownFormat, OSError."""
    check_format(out)
    match out.suffix.lower():
        case ".html":
            drawing.write_html(drawn(row), out)
        case ".geojson":
            out.write_bytes(orjson.dumps(as_geojson(row), option=orjson.OPT_INDENT_2))
        case ".gpkg":
            frame = gpd.GeoDataFrame.from_features(as_geojson(row)["features"], crs="EPSG:4490")
            frame.to_file(out, layer="plan", driver="GPKG", engine="pyogrio")


def as_geojson(row: Row[Any]) -> dict[str, Any]:
    """Return the sites of a plan as GeoJSON features, with what the plan says of each."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [site["lon"], site["lat"]]},
            "properties": {"place": place} | {key: value for key, value in site.items() if key not in {"lon", "lat"}},
        }
        for place, site in enumerate(row.answer["sites"], 1)
    ]
    about = {key: value for key, value in row.answer.items() if key != "sites"}
    return {"type": "FeatureCollection", "features": features, "plan": {"id": str(row.id), **about}}


def drawn(row: Row[Any]) -> PlanMap:
    """Return a plan with the words around it."""
    with session.open("public") as connection:
        place = divisions.find_name(connection, row.division_code or WHOLE_REGION)
        names = {
            one["county"]: divisions.find_name(connection, int(one["county"]) * 10**6)
            for one in row.answer["worst"]["counties"]
        }
        invented = is_fictional(connection)
    answer = row.answer | {
        "worst": row.answer["worst"]
        | {"counties": [one | {"name": names[one["county"]]} for one in row.answer["worst"]["counties"]]}
    }
    note = ("（虚构样本）", " (fictional sample)") if invented else ("", "")
    roads = "、".join(row.data_version["roads"]) or "无 none"
    kind = answer["kind"]
    return PlanMap(
        title_zh=f"{place}{kind['zh']}选址方案",
        title_en=f"Where a {kind['en']} should stand ({answer['source']})",
        answer=answer,
        made_on=row.ended_at.date().isoformat(),
        source_zh=f"门牌登记{note[0]}；界线：天地图",
        source_en=f"Menpai register{note[1]}; boundaries: Tianditu",
        data_zh=f"登记事项第{row.data_version['event_seq']:,}号；道路：{roads}；方案 {row.id}",
        outlines=_outlines(row.division_code),
        settled=_settled(row.division_code),
        review_number=settings.read().map_review_number,
    )


def summary(answer: dict[str, Any]) -> str:
    """Say on a terminal what the plan does and how good it is."""
    zh, en = drawing.quality(answer)
    told = html.unescape(re.sub(r"<[^>]+>", "", drawing.headline(answer)))
    lines = [told, f"{zh} {en}", f"{answer['method']['zh']} {answer['method']['en']}"]
    lines += [
        f"{place:>3} {'●' if site['stands'] else '◆'} {site['name']}  {site['lon']:.5f},{site['lat']:.5f}"
        f"  {_told(site['serves'])} 人, {_told(site['mean_min'])} min"
        for place, site in enumerate(answer["sites"], 1)
    ]
    return "\n".join(lines)


def _told(value: float | None) -> str:
    return "<10" if value is None else f"{value:,}"


def _outlines(division: int | None) -> gpd.GeoDataFrame:
    """Return the counties to draw, simplified to what a page shows."""
    frame = density.outlines(division)
    return frame.assign(geometry=shapely.simplify(frame.geometry.to_numpy(), 0.001))


def _settled(division: int | None) -> gpd.GeoDataFrame | None:
    """Return released squares of 1 km to draw beneath, all residents; None before a release, or of too many."""
    try:
        frame = density.by_cell("1000", "all", division=division).frame
    except NoRelease:
        return None
    shown = frame[frame["n"].notna() & (frame["n"] > 0)]
    return shown[["n", "geometry"]] if 0 < len(shown) <= MOST_SQUARES else None
