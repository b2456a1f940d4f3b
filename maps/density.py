"""What a density map shows: residents per km² by cell or division, their classes, and the words of the legend.

density_page.py draws it as a page, density_sheet.py as a picture or PDF.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.terms import Category
from maps import style
from maps.classes import METHODS, Classes, Floats, Method, classified

_AREA_COLUMNS: Final = ("area", "name", "n", "withheld", "area_km2", "geometry")
_OUTLINE_COLUMNS: Final = ("code", "name", "geometry")
WITHHELD, NO_COUNT, NOBODY = "w", "x", "z"


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


@dataclass(frozen=True)
class Drawn:
    """The areas of a map as they are drawn."""

    rates: Floats
    """Residents per km², shape (n,); nan where there is no count."""
    states: NDArray[np.str_]
    """The digit of a class, or the letter of what has none, shape (n,)."""

    def tally(self, state: str) -> int:
        """Return how many areas are in a state."""
        return int((self.states == state).sum())


def classed(densities: Sequence[DensityMap]) -> tuple[Classes, list[Drawn]]:
    """Put the areas of maps that are looked at together into the same classes, found over all of their rates.

    The first map says by which method.
    """
    first = densities[0]
    rates = [_rates(density) for density in densities]
    settled = [each > 0 for each in rates]
    pooled = np.concatenate([each[where] for each, where in zip(rates, settled, strict=True)])
    classes = classified(pooled, first.method, first.k, first.breaks)
    parts = np.split(classes.of, np.cumsum([int(where.sum()) for where in settled])[:-1])
    drawn = []
    for density, each, where, of in zip(densities, rates, settled, parts, strict=True):
        states = np.full(len(each), NO_COUNT, dtype="<U1")
        states[each == 0] = NOBODY
        states[density.areas["withheld"].to_numpy(dtype=bool)] = WITHHELD
        states[where] = of.astype("<U1")
        drawn.append(Drawn(each, states))
    return classes, drawn


def _rates(density: DensityMap) -> Floats:
    """Return residents per km², shape (n,)."""
    counts = density.areas["n"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(counts / density.areas["area_km2"].to_numpy(dtype=np.float64))


def spans(classes: Classes) -> list[str]:
    """Say from where to where each class goes, lowest first, in residents per km²."""
    lows = (classes.lowest, *classes.uppers)[: len(classes.uppers)]
    return [
        style.written(upper) if low == upper else f"{style.written(low)} – {style.written(upper)}"
        for low, upper in zip(lows, classes.uppers, strict=True)
    ]


def other_words(withheld_below: int) -> dict[str, tuple[str, str]]:
    """Say in Chinese and English what an area without a class is."""
    return {
        NOBODY: ("0 人", "nobody registered"),
        WITHHELD: (
            f"不公布：少于 {withheld_below} 人、不足三栋建筑物，或可由合计推算",
            f"withheld: fewer than {withheld_below} people or three buildings, or derivable from totals",
        ),
        NO_COUNT: ("无数据", "no data"),
    }


def facts(density: DensityMap, drawn: Drawn) -> list[tuple[str, str, list[str]]]:
    """Return what the legend says beneath the classes: its name in Chinese and English, and its lines."""
    category_zh, category_en = style.words_of(density.category_term)
    method_zh, method_en = METHODS[density.method]
    published = len(drawn.states) - drawn.tally(WITHHELD) - drawn.tally(NO_COUNT)
    told = [
        ("合计", "n", [f"{int(density.areas['n'].sum()):,} 人 residents", f"{published:,} 个区域 areas"]),
        ("类别", "category", [f"{category_zh} {category_en}"]),
        ("日期", "date", [density.on.isoformat()]),
        ("分级", "classes", [f"{method_zh} {method_en}"]),
        ("来源", "source", [density.source_zh, density.source_en]),
    ]
    if density.noise_sd:
        told.insert(1, ("扰动", "noise", _noise_words(density.noise_sd)))
    return told


def _noise_words(noise_sd: float) -> list[str]:
    """Say how much noise the disclosure gate has put into a count."""
    amount = f"{noise_sd:.0f}" if noise_sd >= 1 else f"{noise_sd:.1f}"
    return [f"人数经扰动，标准差约 ±{amount} 人", f"perturbed, standard deviation about ±{amount}"]


def review_words(density: DensityMap) -> tuple[str, str]:
    """Return the line of the map review, 审图号 or that the map is for internal use, in Chinese and English."""
    return (f"审图号：{density.review_number}", "") if density.review_number else ("内部用图", "for internal use only")


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
