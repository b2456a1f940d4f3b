"""What of a network hangs together: pieces that nothing joins, and parts within which every way back is open."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gis.planning.roads import many_to_many
from gis.planning.roads.chains import Chains

FRAGMENT = 0.01
"""A piece shorter than this share of the longest is a fragment."""


@dataclass(frozen=True)
class Parts:
    """What hangs together."""

    largest: npt.NDArray[np.bool_]
    """(n_edges,): on the largest part, within which every place is reached from every other."""
    whole: npt.NDArray[np.bool_]
    """(n_edges,): on no fragment."""
    share: float
    """Share of the network's length on the largest part."""


def divide(chains: Chains) -> Parts:
    """Return which edges are on the largest part, by length, and which are on no fragment."""
    graph = many_to_many.graph(chains)
    nodes, length_m = len(chains.places), chains.length_m
    arcs = csr_array((np.ones(len(graph.head)), graph.head, graph.start), shape=(nodes, nodes))
    arcs.sum_duplicates()
    piece = connected_components(arcs, connection="weak")[1][chains.tail]
    part = connected_components(arcs, connection="strong")[1]
    of_piece = np.bincount(piece, weights=length_m)
    within = part[chains.tail] == part[chains.head]
    of_part = np.bincount(part[chains.tail], weights=length_m * within, minlength=nodes)
    largest = within & (part[chains.tail] == of_part.argmax())
    whole = (of_piece >= FRAGMENT * of_piece.max())[piece]
    return Parts(largest, whole, float(length_m[largest].sum() / length_m.sum()))
