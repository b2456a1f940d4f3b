"""How loops over arrays become machine code: once, when the module is first imported, and kept for the next time."""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Sites = NDArray[np.int32]
Flags = NDArray[np.int8]


class Rows(NamedTuple):
    """For every demand the candidates that serve it, nearest first, one demand after the other."""

    start: Integers
    """(n_demand + 1,): demand ``i`` has the places ``start[i]`` to ``start[i + 1]`` of the two arrays below."""
    site: Sites
    """(n_places,): the candidate."""
    cost: Floats
    """(n_places,): weighted cost, rising within a demand."""
    beyond: Floats
    """(n_demand,): what a demand costs that none of its candidates serves; no less than any of its costs."""


class Columns(NamedTuple):
    """The same table by candidate: whom it serves."""

    start: Integers
    """(n_candidate + 1,)."""
    demand: Sites
    """(n_places,)."""
    place: Sites
    """(n_places,): where the pair stands in the arrays of Rows."""


FLOATS = types.float64[::1]
INTEGERS = types.int64[::1]
SITES = types.int32[::1]
FLAGS = types.int8[::1]
ROWS = types.NamedTuple((INTEGERS, SITES, FLOATS, FLOATS), Rows)
COLUMNS = types.NamedTuple((INTEGERS, SITES, SITES), Columns)


def kernel(signature: object) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Compile a function for one signature at import, so that no time limit pays for the compiler.

    Where neither the package's folder nor the user's cache can be written, it is compiled on every start.
    """

    def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        try:
            fast: Callable[Arguments, Result] = njit(signature, cache=True)(function)
        except RuntimeError:  # numba: no locator available
            fast = njit(signature)(function)
        return fast

    return compiled
