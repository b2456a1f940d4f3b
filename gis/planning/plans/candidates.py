"""Candidates: where one may build. What stands comes first, then new places: a grid, road junctions, or a list."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from gis.errors import NoCandidates
from gis.planning.plans.demand import Demand
from gis.planning.plans.facilities import Standing
from gis.planning.plans.questions import Question
from gis.planning.roads import Network
from gis.register.cells import GRID, LONLAT, project

MOST: Final = 4000
"""New places looked at; a finer grid gives way to a coarser one."""
SPACINGS_M: Final = (500, 1000, 2000, 4000)


@dataclass(frozen=True)
class Candidates:
    """Places (m, 2) in lon, lat; the first ``standing`` of them stand already."""

    points: npt.NDArray[np.float64]
    names: tuple[str, ...]
    standing: int
    note_zh: str
    note_en: str


def of(question: Question, demand: Demand, known: Standing, roads: Network | None) -> Candidates:
    """Return the candidates of a question; raises NoCandidates."""
    if question.candidates == "file":
        new, names = np.array(question.points, dtype=np.float64).reshape(-1, 2), question.names
        note = (f"候选点为名单所列{len(new):,}处", f"{len(new):,} candidates of a list")
    else:
        new, spacing_m = _new_places(question, demand, roads)
        names = tuple(f"候选点{place}" for place in range(1, len(new) + 1))
        what = ("道路交叉口", "road junctions") if question.candidates == "junctions" else ("网格", "a grid")
        note = (
            f"候选点为{spacing_m:g}米{what[0]}，{len(new):,}处",
            f"{len(new):,} candidates: {what[1]} of {spacing_m:g} m",
        )
    if not len(new):
        raise NoCandidates(kind=question.candidates)
    return Candidates(np.vstack([known.points, new]), known.names + tuple(names), len(known.names), *note)


def _new_places(question: Question, demand: Demand, roads: Network | None) -> tuple[npt.NDArray[np.float64], float]:
    """Return new places, one for each square of a grid at most, and how wide its squares are."""
    places = demand.points
    if question.candidates == "junctions":
        if roads is None:
            raise NoCandidates(kind="junctions")
        places = roads.junctions(question.division)
    east_m, north_m = project(places[:, 0], places[:, 1])
    for spacing_m in SPACINGS_M:
        squares = np.column_stack([east_m // spacing_m, north_m // spacing_m]).astype(np.int64)
        each, first = np.unique(squares, axis=0, return_index=True)
        if len(each) <= MOST or spacing_m == SPACINGS_M[-1]:
            break
    if question.candidates == "junctions":
        return places[first], spacing_m
    middles = (each + 0.5) * spacing_m
    lon, lat = Transformer.from_crs(GRID, LONLAT, always_xy=True).transform(middles[:, 0], middles[:, 1])
    return np.column_stack([lon, lat]), spacing_m
