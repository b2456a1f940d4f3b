"""The density map: one self-contained HTML file, residents per km² by cell or division."""

import json
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Figure, MacroElement
from folium.template import Template
from numpy.typing import NDArray

from gis.terms import Category
from maps import closed, style
from maps.classes import METHODS, Classes, Floats, Method, classified
from maps.packing import packed

_AREA_COLUMNS: Final = ("area", "name", "n", "withheld", "area_km2", "geometry")
_OUTLINE_COLUMNS: Final = ("code", "name", "geometry")
_WITHHELD, _NO_COUNT, _NOBODY = "w", "x", "z"


@dataclass(frozen=True, kw_only=True)
class DensityMap:
    """Everything a density map shows. It carries released counts, never a person.

    Raises ValueError, with one sentence, where the parts do not make a map.
    """

    title_zh: str
    title_en: str
    category: Category | str | None
    """None or ``all`` for everybody."""
    on: date
    source_zh: str
    source_en: str
    areas: gpd.GeoDataFrame
    """Columns area (str), name (str or None), n (nullable Int64), withheld (bool), area_km2 (float), geometry
    (polygons, OGC:CRS84). An area with neither a count nor ``withheld`` has no data."""
    outlines: gpd.GeoDataFrame
    """Columns code, name, geometry (polygons, OGC:CRS84): the divisions drawn and named over the areas."""
    method: Method = "quantiles"
    breaks: tuple[float, ...] | None = None
    """Upper limits of the classes in residents per km², for method ``fixed``."""
    k: int = 5
    review_number: str | None = None
    """审图号, the number of the map review; without one the map says that it is for internal use."""
    withheld_below: int = 10
    noise_sd: float = 0.0
    """The usual standard deviation of the noise in a count, residents; 0 where counts are exact."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn truthfully."""
        _check_words(self)
        _check_classes(self)
        _check_shapes("areas", self.areas, _AREA_COLUMNS)
        _check_shapes("outlines", self.outlines, _OUTLINE_COLUMNS)
        _check_counts(self.areas, self.withheld_below)

    @property
    def category_term(self) -> Category | None:
        """The category as a term; None is everybody."""
        return next((term for term in Category if term == self.category), None)


def write_html(density: DensityMap, out: Path) -> None:
    """Write the map as one HTML file that asks for nothing else.

    The file appears whole or not at all. Raises OSError where it cannot be written.
    """
    closed.write_page(_page(density), out)


class _DensityLayer(MacroElement):
    """The folium element that carries the counts, the legend and the code that draws them."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>{{ this.css }}</style>
            <script>{{ this.leaflet }}</script>
            <script>{{ this.drawing }}</script>
        {% endmacro %}
        {% macro html(this, kwargs) %}
            {{ this.panel }}
            <script type="application/json" id="density">{{ this.payload }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            drawDensity({{ this._parent.get_name() }}, JSON.parse(document.getElementById("density").textContent));
        {% endmacro %}
        """
    )

    def __init__(self, payload: str, panel: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca is annotated in part
        self._name = "DensityLayer"
        self._id = "menpai"
        self.payload = payload
        self.panel = panel
        self.leaflet = closed.leaflet_script()
        self.drawing = closed.text("density.js")
        self.css = closed.leaflet_style() + closed.text("density.css").replace("FONTS", style.FONTS)


def _page(density: DensityMap) -> str:
    """Render the whole HTML page."""
    rates, states, classes = _classed(density)
    colours = style.sequential(len(classes.uppers)) if classes.uppers else []
    chart = closed.ClosedMap(_centre(density))
    figure = chart.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - tells mypy what folium.Map made
    figure.title = escape(f"{density.title_zh} {density.title_en}")
    payload = _payload(density, rates, states, colours)
    _DensityLayer(payload, _panel(density, states, classes, colours)).add_to(chart)
    return str(figure.render()).replace("<html>", '<html lang="zh-CN">', 1)


def _classed(density: DensityMap) -> tuple[Floats, NDArray[np.str_], Classes]:
    """Give residents per km² (n,), the state of every area (n,), a class digit or a letter, and the classes."""
    areas = density.areas
    counts = areas["n"].to_numpy(dtype=np.float64, na_value=np.nan)
    rates = counts / areas["area_km2"].to_numpy(dtype=np.float64)
    settled = rates > 0
    classes = classified(rates[settled], density.method, density.k, density.breaks)
    states = np.full(len(areas), _NO_COUNT, dtype="<U1")
    states[rates == 0] = _NOBODY
    states[areas["withheld"].to_numpy(dtype=bool)] = _WITHHELD
    states[settled] = classes.of.astype("<U1")
    return rates, states, classes


def _payload(density: DensityMap, rates: Floats, states: NDArray[np.str_], colours: list[str]) -> str:
    """Write what the drawing code needs as JSON that is safe inside a script element."""
    areas, outlines = density.areas, density.outlines
    # The middle of the widest place of a division is where its name has most room.
    anchors = [shapely.get_point(shapely.maximum_inscribed_circle(shape, 0.002), 0) for shape in outlines.geometry]
    named = areas["name"].notna()
    content: dict[str, Any] = {
        "shapes": packed(list(areas.geometry)),
        "states": "".join(states),
        "counts": [
            None if count is None else int(count) for count in areas["n"].astype(object).where(areas["n"].notna(), None)
        ],
        "rates": [None if np.isnan(rate) else style.written(float(rate)) for rate in rates],
        "ids": areas["area"].astype(str).tolist(),
        "names": areas["name"].where(named, None).tolist() if named.any() else None,
        "outlines": packed(list(outlines.geometry)),
        "labels": [
            [str(name), round(float(point.x), 5), round(float(point.y), 5)]
            for name, point in zip(outlines["name"], anchors, strict=True)
        ],
        "colours": colours,
        "withheldBelow": density.withheld_below,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _panel(density: DensityMap, states: NDArray[np.str_], classes: Classes, colours: list[str]) -> str:
    """Write the title and the legend."""
    category_zh, category_en = style.words_of(density.category_term)
    tally = {state: int((states == state).sum()) for state in (_WITHHELD, _NO_COUNT, _NOBODY)}
    method_zh, method_en = METHODS[density.method]
    published = len(states) - tally[_WITHHELD] - tally[_NO_COUNT]
    residents = int(density.areas["n"].sum())
    review = density.review_number
    facts = [
        ("合计", "n", f"{residents:,} 人 residents<br>{published:,} 个区域 areas"),
        ("类别", "category", f"{escape(category_zh)} {escape(category_en)}"),
        ("日期", "date", density.on.isoformat()),
        ("分级", "classes", f"{method_zh} {method_en}"),
        ("来源", "source", f"{escape(density.source_zh)}<br>{escape(density.source_en)}"),
    ]
    if density.noise_sd:
        facts.insert(1, ("扰动", "noise", _noise_words(density.noise_sd)))
    return closed.text("density.html").format(
        title_zh=escape(density.title_zh),
        title_en=escape(density.title_en),
        rows="".join([*_class_rows(classes, colours), *_other_rows(density.withheld_below, tally)]),
        facts="".join(f"<dt>{zh} <i>{en}</i></dt><dd>{words}</dd>" for zh, en, words in facts),
        review=f"审图号：{escape(review)}" if review else "内部用图 <i>for internal use only</i>",
        review_kind="reviewed" if review else "internal",
    )


def _noise_words(noise_sd: float) -> str:
    """Say how much noise the disclosure gate has put into a count."""
    amount = f"{noise_sd:.0f}" if noise_sd >= 1 else f"{noise_sd:.1f}"
    return f"人数经扰动，标准差约 ±{amount} 人<br>perturbed, standard deviation about ±{amount}"


def _class_rows(classes: Classes, colours: list[str]) -> list[str]:
    """Write the legend rows of the classes, densest first."""
    lows = (classes.lowest, *classes.uppers)[: len(classes.uppers)]
    rows = []
    for low, upper, colour, count in zip(lows, classes.uppers, colours, classes.counts, strict=True):
        span = style.written(upper) if low == upper else f"{style.written(low)} – {style.written(upper)}"
        swatch = f'<svg width="26" height="16"><rect width="26" height="16" fill="{colour}" stroke="#777"/></svg>'
        rows.append(f'<tr class="class"><td>{swatch}</td><td>{span}</td><td class="tally">{count:,}</td></tr>')
    return rows[::-1]


def _other_rows(withheld_below: int, tally: dict[str, int]) -> list[str]:
    """Write the legend rows of what has no class: nobody, withheld (always explained), no data."""
    words = {
        _NOBODY: ("nobody", "0 人", "nobody registered"),
        _WITHHELD: (
            "withheld",
            f"不公布：少于 {withheld_below} 人、不足三栋建筑物，或可由合计推算",
            f"withheld: fewer than {withheld_below} people or three buildings, or derivable from totals",
        ),
        _NO_COUNT: ("no-data", "无数据", "no data"),
    }
    return [
        f'<tr class="{kind}"><td><canvas class="swatch" data-state="{state}" width="26" height="16"></canvas></td>'
        f'<td>{zh} <i>{en}</i></td><td class="tally">{tally[state]:,}</td></tr>'
        for state, (kind, zh, en) in words.items()
        if tally[state] or state == _WITHHELD
    ]


def _centre(density: DensityMap) -> tuple[float, float]:
    """Give a latitude and longitude to begin from; the page fits itself to the shapes afterwards."""
    frame = density.areas if len(density.areas) else density.outlines
    if not len(frame):
        return 37.5, 106.0
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    return (south + north) / 2, (west + east) / 2


def _refuse(sentence: str) -> None:
    raise ValueError(sentence)


def _check_words(density: DensityMap) -> None:
    """Refuse a map without a title or a source, or of an unknown category."""
    for field in ("title_zh", "title_en", "source_zh", "source_en"):
        if not getattr(density, field).strip():
            _refuse(f"A density map needs {field}.")
    known = ("all", *Category)
    if density.category is not None and density.category not in known:
        _refuse(f"Category {density.category} is not one of {', '.join(known)}.")


def _check_classes(density: DensityMap) -> None:
    """Refuse an unknown method, and fixed breaks without it or it without them."""
    if density.method not in METHODS:
        _refuse(f"Class method {density.method} is not one of {', '.join(METHODS)}.")
    if not 1 <= density.k <= style.MOST_CLASSES:
        _refuse(f"A map has between 1 and {style.MOST_CLASSES} classes, not {density.k}.")
    breaks = density.breaks
    if (density.method == "fixed") != (breaks is not None):
        _refuse("Breaks belong to class method fixed, and it needs them.")
    if breaks is None:
        return
    if not 1 <= len(breaks) < style.MOST_CLASSES:
        _refuse(f"Fixed breaks are between 1 and {style.MOST_CLASSES - 1} numbers, not {len(breaks)}.")
    rising = all(low < high for low, high in zip((0.0, *breaks), breaks, strict=False))
    if not (rising and np.isfinite(breaks).all()):
        _refuse("Fixed breaks are finite numbers above zero in ascending order.")


def _check_shapes(what: str, frame: gpd.GeoDataFrame, columns: tuple[str, ...]) -> None:
    """Refuse missing columns, coordinates other than longitude and latitude, and shapes that are not polygons."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        _refuse(f"The {what} lack the columns {', '.join(missing)}.")
    if frame.crs is None or not frame.crs.is_geographic:
        _refuse(f"The {what} must be in longitude and latitude (OGC:CRS84), not {frame.crs}.")
    shapes = frame.geometry
    if not (shapes.geom_type.isin(["Polygon", "MultiPolygon"]) & ~shapes.is_empty).all():
        _refuse(f"The {what} must all be polygons with at least three corners.")


def _check_counts(areas: gpd.GeoDataFrame, withheld_below: int) -> None:
    """Refuse negative counts, and whatever the disclosure gate should have withheld."""
    repeated = areas["area"].duplicated()
    if repeated.any():
        _refuse(f"Area {areas['area'][repeated].iloc[0]} stands among the areas more than once.")
    sizes = areas["area_km2"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        _refuse("Every area needs an area_km2 above zero.")
    counts = areas["n"]
    if len(areas) and not pd.api.types.is_integer_dtype(counts):
        _refuse(f"Counts must be whole numbers (Int64, missing where unknown), not {counts.dtype}.")
    if (counts.dropna() < 0).any():
        _refuse("A count of residents cannot be negative.")
    if (areas["withheld"].astype(bool) & counts.notna()).any():
        _refuse("A withheld area came with its count; the disclosure gate must have taken it away.")
    if ((counts > 0) & (counts < withheld_below)).any():
        _refuse(f"A count below {withheld_below} came without being withheld.")
