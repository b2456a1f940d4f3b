"""Classes of a choropleth: where one colour ends and the next begins."""

import warnings
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import mapclassify
import numpy as np
from numpy.typing import NDArray

Method: TypeAlias = Literal["quantiles", "natural_breaks", "equal_interval", "fixed"]
Floats: TypeAlias = NDArray[np.float64]

METHODS: Final[dict[str, tuple[str, str]]] = {
    "quantiles": ("分位数", "quantiles"),
    "natural_breaks": ("自然断点", "natural breaks (Fisher-Jenks)"),
    "equal_interval": ("等间距", "equal intervals"),
    "fixed": ("固定分级", "fixed breaks"),
}
_ENOUGH: Final = 500
"""Fisher-Jenks takes time by the square of its values; this many quantiles stand for them all."""


@dataclass(frozen=True)
class Classes:
    """Classes of a set of values."""

    uppers: tuple[float, ...]
    """Upper limit of each class, included; strictly ascending."""
    lowest: float
    """The smallest value of all, rounded down to two digits."""
    of: NDArray[np.intp]
    """Class of each value, shape (n,)."""
    counts: tuple[int, ...]
    """How many values each class holds."""


def classified(values: Floats, method: Method, k: int, breaks: tuple[float, ...] | None = None) -> Classes:
    """Put ``values``, shape (n,), all above zero, into at most ``k`` classes.

    Equal values share a class, and no class is made twice, so fewer classes than ``k`` may come back. Limits are
    rounded up to few digits *before* the values are classed, so that what the legend says is what was done.
    ``breaks`` are the upper limits of method ``fixed``; a value above the last opens one more class.
    """
    if not len(values):
        return Classes((), 0.0, np.empty(0, dtype=np.intp), ())
    uppers = _fixed(values, breaks) if breaks is not None else _rounded_up(_limits(values, method, k))
    scheme = mapclassify.UserDefined(values, bins=list(uppers))
    return Classes(
        uppers=uppers,
        lowest=-_up(-float(values.min()), 2),
        of=np.asarray(scheme.yb, dtype=np.intp),
        counts=tuple(int(count) for count in scheme.counts),
    )


def _fixed(values: Floats, breaks: tuple[float, ...]) -> tuple[float, ...]:
    """Add the class above the last break where a value needs it."""
    highest = float(values.max())
    return (*breaks, highest) if highest > breaks[-1] else tuple(breaks)


def _limits(values: Floats, method: Method, k: int) -> Floats:
    """Upper limits by mapclassify, exact and ascending, shape (≤ k,)."""
    distinct = np.unique(values)
    if len(distinct) <= k:
        return distinct
    if method == "quantiles":
        return np.unique(mapclassify.Quantiles(values, k=k).bins)
    if method == "equal_interval":
        return np.unique(mapclassify.EqualInterval(values, k=k).bins)
    return _natural(values, distinct, k)


def _natural(values: Floats, distinct: Floats, k: int) -> Floats:
    """Fisher-Jenks, which unlike k-means finds the same breaks every time."""
    sample = values if len(values) <= _ENOUGH else np.quantile(values, np.linspace(0, 1, _ENOUGH))
    if len(np.unique(sample)) <= k:  # a few values so common that they hide the others
        sample = distinct if len(distinct) <= _ENOUGH else np.quantile(distinct, np.linspace(0, 1, _ENOUGH))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # mapclassify says that numba would be faster
        return np.unique(mapclassify.FisherJenks(sample, k=k).bins)


def _rounded_up(limits: Floats) -> tuple[float, ...]:
    """Round limits up to two digits, or as many as keep them apart."""
    for digits in range(2, 16):
        rounded = tuple(_up(float(limit), digits) for limit in limits)
        if len(set(rounded)) == len(rounded):
            return rounded
    return tuple(float(limit) for limit in limits)


def _up(limit: float, digits: int) -> float:
    """Smallest number of ``digits`` significant digits that is not below ``limit`` (any number but 0)."""
    exponent = int(np.floor(np.log10(abs(limit)))) - digits + 1
    if exponent >= 0:
        step: float = 10**exponent
        return float(np.ceil(limit / step - 1e-9) * step)
    scale: float = 10**-exponent
    return max(float(np.ceil(limit * scale - 1e-9) / scale), limit)
