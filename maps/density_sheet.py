"""Density maps on one sheet of A4, as PNG or PDF without a browser: one map, or the same area on several days.

Drawn in the equal-area projection of the cells (Snyder 1987, ch. 24), so that equal areas look equal.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from maps import closed, style
from maps.classes import Classes
from maps.density import (
    NO_COUNT,
    NOBODY,
    WITHHELD,
    DensityMap,
    Drawn,
    classed,
    facts,
    other_words,
    review_words,
    spans,
)

PLANE: Final = "+proj=laea +lat_0=37.5 +lon_0=106 +a=6378137 +rf=298.257222101 +units=m +no_defs"
PLANE_WORDS: Final = ("兰勃特等积方位投影（37.5°N 106°E，CGCS2000）", "Lambert azimuthal equal-area")
FORMATS: Final = ("png", "pdf")
MOST_MAPS: Final = 6
DOTS_PER_INCH: Final = 200
_INCH_MM, _POINT_MM = 25.4, 25.4 / 72
_SHORT_MM, _LONG_MM, _MARGIN_MM, _LEGEND_MM, _TITLE_MM, _FOOT_MM = 210.0, 297.0, 10.0, 54.0, 20.0, 12.0
_GAP_MM, _DAY_MM = 4.0, 6.0
_INK, _FAINT = "#222222", "#6b6661"
_GROUNDS: Final = {WITHHELD: "#efedea", NO_COUNT: "#ffffff", NOBODY: "#ffffff"}
_PENS: Final = {WITHHELD: "#77716a", NO_COUNT: "#8a949e", NOBODY: "#c9c5c0"}
_HATCHES: Final = {WITHHELD: "////////", NO_COUNT: "....", NOBODY: ""}


@dataclass(frozen=True)
class _Sheet:
    """How a sheet is divided, in millimetres, and what it is lettered with."""

    width: float
    height: float
    columns: int
    map_width: float
    map_height: float
    day: float
    """Room over each map for its day; none over a single one."""
    bounds: tuple[float, float, float, float]
    """West, south, east, north in the plane, in metres."""
    metres_per_mm: float
    font: Path

    def letters(self, size_pt: float) -> FontProperties:
        """Return the font in a size."""
        return FontProperties(fname=str(self.font), size=size_pt)

    def put(  # noqa: PLR0913, PLR0917 - where, what and how
        self, axes: Axes, east: float, north: float, words: str, size_pt: float, color: str = _INK, ha: str = "left"
    ) -> Text:
        """Write words into axes, in their own measure."""
        return axes.text(east, north, words, font=self.letters(size_pt), color=color, ha=ha)


def write_sheet(densities: Sequence[DensityMap], out: Path, kind: str, font: Path) -> None:
    """Write maps of one area, by day, as one sheet of A4; all have the same classes and the same scale.

    ``kind`` is one of FORMATS; ``font`` goes into a PDF. The file appears whole or not at all. Raises ValueError, with
    one sentence, for no map, too many, or an unknown kind; OSError where the file cannot be written.
    """
    if not 1 <= len(densities) <= MOST_MAPS:
        message = f"A sheet has between 1 and {MOST_MAPS} maps, not {len(densities)}."
        raise ValueError(message)
    if kind not in FORMATS:
        message = f"A sheet is one of {', '.join(FORMATS)}, not {kind}."
        raise ValueError(message)
    dated = {"CreationDate": None} if kind == "pdf" else {"Software": None}  # the same counts give the same bytes
    title = f"{densities[0].title_zh} {densities[0].title_en}"
    with mpl.rc_context({"pdf.fonttype": 42, "hatch.linewidth": 0.35, "pdf.compression": 6}):
        drawn = io.BytesIO()
        _figure(densities, font).savefig(drawn, format=kind, dpi=DOTS_PER_INCH, metadata={"Title": title, **dated})
    closed.write_whole(drawn.getvalue(), out)


def _figure(densities: Sequence[DensityMap], font: Path) -> Figure:
    """Draw the sheet."""
    classes, drawn = classed(densities)
    areas = [density.areas.geometry.to_crs(PLANE) for density in densities]
    outlines = densities[0].outlines.to_crs(PLANE)
    sheet = _divided([*areas, outlines.geometry], len(densities), font)
    colours = style.sequential(len(classes.uppers)) if classes.uppers else []
    figure = Figure(figsize=(sheet.width / _INCH_MM, sheet.height / _INCH_MM), facecolor="white")
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, sheet.width), ylim=(0, sheet.height))
    page.set_axis_off()
    for place, (density, shapes, each) in enumerate(zip(densities, areas, drawn, strict=True)):
        corner = _corner(sheet, place)
        if len(densities) > 1:
            sheet.put(
                page,
                corner[0],
                corner[1] + sheet.map_height + 1.5,
                density.on.isoformat(),
                10,
                color=_INK,
            )
        _draw_map(figure, sheet, corner, shapes, each, colours, outlines)
    _write_title(page, sheet, densities[0])
    _write_legend(page, sheet, densities, drawn, classes, colours)
    _draw_scale(page, sheet)
    return figure


def _divided(shapes: list[gpd.GeoSeries], many: int, font: Path) -> _Sheet:
    """Lay a sheet out, upright or across, with the columns that give the maps the largest scale."""
    filled = [each.total_bounds for each in shapes if len(each)]
    west, south, east, north = (100_000.0 * side for side in (-1, -1, 1, 1))
    if filled:
        edges = np.array(filled)
        west, south = (float(side) for side in edges[:, :2].min(axis=0))
        east, north = (float(side) for side in edges[:, 2:].max(axis=0))
    edge = 0.02 * max(east - west, north - south, 1000.0)
    bounds = (west - edge, south - edge, east + edge, north + edge)
    day = _DAY_MM if many > 1 else 0.0
    choices = []
    for width, height in ((_SHORT_MM, _LONG_MM), (_LONG_MM, _SHORT_MM)):
        for columns in range(1, many + 1):
            rows = -(-many // columns)
            room = width - 2 * _MARGIN_MM - _LEGEND_MM - _GAP_MM
            map_width = (room - _GAP_MM * (columns - 1)) / columns
            tall = height - 2 * _MARGIN_MM - _TITLE_MM - _FOOT_MM
            map_height = (tall - _GAP_MM * (rows - 1)) / rows - day
            scale = max((bounds[2] - bounds[0]) / map_width, (bounds[3] - bounds[1]) / map_height)
            choices.append((scale, width, height, columns, map_width, map_height))
    scale, width, height, columns, map_width, map_height = min(choices)
    return _Sheet(width, height, columns, map_width, map_height, day, bounds, scale, font)


def _corner(sheet: _Sheet, place: int) -> tuple[float, float]:
    """Return the lower left corner of the map at a place, row by row from the top, in mm from the sheet's."""
    row, column = divmod(place, sheet.columns)
    top = sheet.height - _MARGIN_MM - _TITLE_MM
    below = (row + 1) * (sheet.map_height + sheet.day) + row * _GAP_MM
    return _MARGIN_MM + column * (sheet.map_width + _GAP_MM), top - below


def _draw_map(  # noqa: PLR0913, PLR0917 - what one map of the sheet is made of
    figure: Figure,
    sheet: _Sheet,
    corner: tuple[float, float],
    shapes: gpd.GeoSeries,
    drawn: Drawn,
    colours: list[str],
    outlines: gpd.GeoDataFrame,
) -> None:
    """Draw areas, outlines and names into a part of the sheet."""
    left, bottom = corner
    part = (
        left / sheet.width,
        bottom / sheet.height,
        sheet.map_width / sheet.width,
        sheet.map_height / sheet.height,
    )
    middle = [(sheet.bounds[side] + sheet.bounds[side + 2]) / 2 for side in (0, 1)]
    reach = [length * sheet.metres_per_mm / 2 for length in (sheet.map_width, sheet.map_height)]
    axes = figure.add_axes(part, xlim=(middle[0] - reach[0], middle[0] + reach[0]))
    axes.set_ylim(middle[1] - reach[1], middle[1] + reach[1])
    axes.set_axis_off()
    for state in sorted(set(drawn.states)):
        axes.add_patch(_patch(list(shapes[drawn.states == state]), state, colours))
    borders = _outline(list(outlines.geometry))
    axes.add_patch(PathPatch(borders, fill=False, edgecolor="white", linewidth=1.3))
    axes.add_patch(PathPatch(borders, fill=False, edgecolor="#3d3a37", linewidth=0.5))
    _write_names(axes, sheet, outlines)


def _patch(shapes: list[shapely.Geometry], state: str, colours: list[str]) -> PathPatch:
    """Return all areas of one state as one shape; a thin line of its own colour closes the seams between them."""
    path = _outline(shapes)
    if state.isdigit():
        colour = colours[int(state)]
        return PathPatch(path, facecolor=colour, edgecolor=colour, linewidth=0.1)
    return PathPatch(
        path, facecolor=_GROUNDS[state], edgecolor=_PENS[state], linewidth=0.1, hatch=_HATCHES[state] or None
    )


def _outline(shapes: list[shapely.Geometry]) -> Outline:
    """Return polygons as one path; rings and their holes run opposite ways, by which holes stay open."""
    if not shapes:
        return Outline(np.empty((0, 2)))
    rings = [
        shapely.get_coordinates(ring)
        for shape in shapely.normalize(np.array(shapes, dtype=object))
        for part in shapely.get_parts(shape)
        for ring in shapely.get_rings(part)
    ]
    codes = np.concatenate(
        [[Outline.MOVETO, *[Outline.LINETO] * (len(ring) - 2), Outline.CLOSEPOLY] for ring in rings]
    ).astype(np.uint8)
    return Outline(np.concatenate(rings), codes)


def _write_names(axes: Axes, sheet: _Sheet, outlines: gpd.GeoDataFrame) -> None:
    """Name the divisions where they are widest, the largest first, and leave out a name with no room."""
    size_pt = 7.0 if sheet.columns == 1 else 5.5
    taken: list[shapely.Geometry] = []
    order = np.argsort(-outlines.geometry.area.to_numpy(), kind="stable")
    for name, shape in ((str(outlines["name"].iloc[at]), outlines.geometry.iloc[at]) for at in order):
        point = shapely.get_point(shapely.maximum_inscribed_circle(shape, 500.0), 0)
        half = len(name) * size_pt * _POINT_MM * sheet.metres_per_mm / 2
        tall = size_pt * _POINT_MM * sheet.metres_per_mm / 2
        box = shapely.box(point.x - half, point.y - tall, point.x + half, point.y + tall)
        if any(box.intersects(other) for other in taken):
            continue
        taken.append(box)
        written = sheet.put(axes, point.x, point.y, name, size_pt, color=_INK, ha="center")
        written.set(va="center", zorder=5)
        written.set_path_effects([withStroke(linewidth=1.6, foreground="white", alpha=0.85)])


def _write_title(page: Axes, sheet: _Sheet, density: DensityMap) -> None:
    """Write the title, Chinese over English."""
    top = sheet.height - _MARGIN_MM
    sheet.put(page, _MARGIN_MM, top - 6.5, density.title_zh, 17, color=_INK)
    sheet.put(page, _MARGIN_MM, top - 12.5, density.title_en, 9.5, color=_FAINT)


def _write_legend(  # noqa: PLR0913, PLR0917 - what a legend tells of
    page: Axes,
    sheet: _Sheet,
    densities: Sequence[DensityMap],
    drawn: list[Drawn],
    classes: Classes,
    colours: list[str],
) -> None:
    """Write the legend: classes with how many areas each map has in them, what has no class, and the facts."""
    pen = _Pen(page, sheet, sheet.width - _MARGIN_MM - _LEGEND_MM, sheet.height - _MARGIN_MM - _TITLE_MM)
    pen.write("居民密度 人/平方公里", 9.5)
    pen.write("residents per km²; upper limits included 各级含上限", 6.5, _FAINT)
    pen.skip(1.5)
    for place, span in reversed(list(enumerate(spans(classes)))):
        pen.swatch(str(place), [span], colours, _tallies(drawn, str(place)))
    for state, words in other_words(densities[0].withheld_below).items():
        if state == WITHHELD or any(each.tally(state) for each in drawn):
            pen.swatch(state, list(words), colours, _tallies(drawn, state))
    pen.skip(2)
    told = [facts(density, each) for density, each in zip(densities, drawn, strict=True)]
    if len(densities) > 1:  # what differs by day has a line a day; the rest is the same on all of them
        days = [f"{density.on}：{_of(each, 'n')[0]}" for density, each in zip(densities, told, strict=True)]
        pen.fact("合计", "n", days)
    for fact in told[0]:
        if len(densities) == 1 or fact[1] not in {"n", "date"}:
            pen.fact(*fact)
    pen.fact("投影", "projection", list(PLANE_WORDS))
    pen.skip(2)
    zh, en = review_words(densities[0])
    pen.write(f"{zh} {en}".strip(), 9)


def _of(told: list[tuple[str, str, list[str]]], name: str) -> list[str]:
    """Return the lines of a fact."""
    return next(lines for _, en, lines in told if en == name)


def _tallies(drawn: list[Drawn], state: str) -> str:
    return " / ".join(f"{each.tally(state):,}" for each in drawn)


class _Pen:
    """Writes the legend downwards, a line at a time."""

    def __init__(self, page: Axes, sheet: _Sheet, left: float, top: float) -> None:
        self.page, self.sheet, self.left, self.at = page, sheet, left, top

    def skip(self, mm: float) -> None:
        """Leave room."""
        self.at -= mm

    def write(self, words: str, size_pt: float, colour: str = _INK, indent: float = 0.0) -> None:
        """Write words, over as many lines as they need."""
        for line in _lines(words, (_LEGEND_MM - indent) / (size_pt * _POINT_MM)):
            self.at -= size_pt * _POINT_MM * 1.3
            self.sheet.put(self.page, self.left + indent, self.at, line, size_pt, color=colour)

    def fact(self, zh: str, en: str, lines: list[str]) -> None:
        """Write a fact under its name."""
        self.skip(1)
        self.write(f"{zh} {en}", 6, _FAINT)
        for line in lines:
            self.write(line, 7)

    def swatch(self, state: str, lines: list[str], colours: list[str], tally: str) -> None:
        """Draw what a state looks like, and say what it is and how many areas are in it."""
        box = [(self.left, self.at - 5), (self.left + 8, self.at - 5), (self.left + 8, self.at - 0.8)]
        shape = shapely.Polygon([*box, (self.left, self.at - 0.8)])
        self.page.add_patch(_patch([shape], state, colours))
        self.page.add_patch(PathPatch(_outline([shape]), fill=False, edgecolor="#777777", linewidth=0.4))
        before = self.at
        self.skip(0.6 if state.isdigit() else 0)
        size_pt = 8.0 if state.isdigit() else 6.5
        for line in (*lines[:-1], f"{lines[-1]}  ({tally})"):
            self.write(line, size_pt, indent=10)
        self.at = min(self.at, before - 5) - 0.6


def _lines(words: str, ems: float) -> Iterator[str]:
    """Break words into lines of so many ems: between Chinese letters, and between English words."""
    line, used = "", 0.0
    for part in _parts(words):
        width = sum(1.0 if letter > "⺀" else 0.56 for letter in part)
        if line and used + width > ems:
            yield line.rstrip()
            line, used = "", 0.0
            if part == " ":
                continue
        line, used = line + part, used + width
    if line:
        yield line.rstrip()


def _parts(words: str) -> Iterator[str]:
    """Return what a line may be broken between."""
    word = ""
    for letter in words:
        if letter > "⺀" or letter == " ":
            if word:
                yield word
            word = ""
            yield letter
        else:
            word += letter
    if word:
        yield word


def _draw_scale(page: Axes, sheet: _Sheet) -> None:
    """Draw a scale bar of a round length, at most a third of a map long, and an arrow to the north."""
    most_m = sheet.map_width / 3 * sheet.metres_per_mm
    power = 10.0 ** np.floor(np.log10(most_m))
    length_m = float(max(step * power for step in (1, 2, 5) if step * power <= most_m))
    length = length_m / sheet.metres_per_mm
    left, at = _MARGIN_MM + 8, _MARGIN_MM + 4
    for half, colour in enumerate((_INK, "white")):
        page.add_patch(
            Rectangle((left + half * length / 2, at), length / 2, 1.4, facecolor=colour, edgecolor=_INK, linewidth=0.5)
        )
    words = f"{length_m / 1000:g} km 公里" if length_m >= 1000 else f"{length_m:g} m 米"  # noqa: PLR2004
    sheet.put(page, left, at - 3, "0", 7, color=_INK, ha="center")
    sheet.put(page, left + length, at - 3, words, 7, color=_INK, ha="center")
    arrow = [(_MARGIN_MM, at - 1), (_MARGIN_MM + 1.8, at + 5), (_MARGIN_MM + 3.6, at - 1), (_MARGIN_MM + 1.8, at + 0.5)]
    page.add_patch(Polygon(arrow, closed=True, facecolor=_INK, edgecolor="none"))
    sheet.put(page, _MARGIN_MM + 1.8, at + 5.5, "北 N", 6.5, color=_INK, ha="center")
