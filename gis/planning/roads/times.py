"""Travel times as they are handed on: a sparse matrix, and in words what must be said beside it."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from gis.planning.roads.places import Metres
from gis.planning.roads.speeds import Mode
from gis.planning.siting.compiled import Integers

Method = Literal["roads", "great_circle"]


class Note(NamedTuple):
    """A sentence for every output."""

    zh: str
    en: str


_BY: dict[Mode, Note] = {"walk": Note("步行", "Walking"), "drive": Note("驾车", "Driving")}


@dataclass(frozen=True)
class Far:
    """Points that are too far from any road to say how long they take."""

    index: Integers
    """(k,): which of the points."""
    distance_m: Metres
    """(k,): how far from the road; infinite where no road can be told."""

    def __len__(self) -> int:
        """Return how many."""
        return len(self.index)


NOBODY = Far(np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True)
class TravelTimes:
    """How long from each origin to each destination."""

    seconds: Any
    """(n, m) scipy.sparse.csr_array: absent is farther than the limit or out of reach; a stored 0 is 0."""
    method: Method
    limit_s: float
    far_origins: Far
    far_destinations: Far
    apart_origins: Integers
    """(k,): those whose nearest road is not on the largest part of the network, from where every way leads back."""
    apart_destinations: Integers
    note: Note

    @property
    def apart(self) -> tuple[Integers, Integers]:
        """Origins and destinations apart from the largest part of the network."""
        return self.apart_origins, self.apart_destinations


class Standing(Protocol):
    """What is told of points."""

    @property
    def far(self) -> Far: ...  # noqa: D102
    @property
    def apart(self) -> Integers: ...  # noqa: D102


def told(
    mode: Mode, sources: tuple[str, ...], share: float, far_m: float, origins: Standing, destinations: Standing
) -> Note:
    """Return what must be said beside times on roads."""
    far = len(origins.far) + len(destinations.far)
    apart = len(origins.apart) + len(destinations.apart)
    named = "、".join(sources) or "—"
    zh = f"{_BY[mode].zh}时间按已导入的道路（{named}）计算，最大连通部分占道路总长{share:.0%}"
    en = f"{_BY[mode].en} times on the imported roads ({named}), {share:.0%} of which hang together"
    if far:
        zh += f"；{far:,}个点距道路超过{far_m:,.0f}米，没有时间"
        en += f"; {far:,} points are more than {far_m:,.0f} m from any road and have no times"
    if apart:
        zh += f"；{apart:,}个点的最近道路不在该部分"
        en += f"; the nearest road of {apart:,} points is not on that part"
    return Note(zh + "。", en + ".")
