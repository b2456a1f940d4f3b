"""A roster's addresses against a register's, file to file.

The index is built once and held in memory; the roster passes through a block at a time.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import datums, reference, registers, tables
from gis.categories import CodeChange
from gis.register.matching import index, naming
from gis.register.matching.deciding import Matcher
from gis.residents.linking import COLUMNS, NEEDED, Linked, Linker, Point, gives_category
from gis.terms import Datum, MatchOutcome

_PLACE: Final = ("lon", "lat")
_WANTED: Final = (*COLUMNS, *_PLACE)


class Files(NamedTuple):
    """What a match reads."""

    roster: Path
    register: Path
    former_names: Path | None = None
    datum: Datum | None = None
    """Datum of the roster's lon and lat; without one they are not used."""


@dataclass
class Match:
    """One run: open it, then take its rows; the sums stand in ``outcomes`` afterwards."""

    files: Files
    ignored: tuple[str, ...] = ()
    """Columns of the roster that a match does not read."""
    unreadable_buildings: int = 0
    """Rows of the register that give no number or no address."""

    def open(self) -> None:
        """Read the files' headers and build the index; raises TableNotReadable."""
        gc.disable()  # millions of small things are made, none of them in cycles
        self._header = tables.read_header(self.files.roster, _WANTED, NEEDED)
        self.ignored = self._header.ignored
        names = registers.read_names(self.files.former_names) if self.files.former_names else []
        register = registers.RegisterFile(self.files.register)
        changes = reference.changes()
        gazetteer = naming.gazetteer(reference.divisions(), changes)
        built = index.build(register.buildings(), gazetteer, names)
        matcher = Matcher(built, elsewhere=built.missing())
        self.unreadable_buildings = register.unreadable
        self._linker = Linker(
            matcher,
            [CodeChange(row.year, row.change, row.old_code, row.new_code) for row in changes],
            gives_category(self._header.columns),
            _repeated(self.files.roster, self._header),
        )

    @property
    def outcomes(self) -> Counter[MatchOutcome]:
        """How many rows had each outcome so far."""
        return self._linker.outcomes

    def rows(self) -> Iterator[Linked]:
        """Yield what became of the roster's rows, a block at a time."""
        for block in tables.blocks(self.files.roster, self._header, _WANTED):
            linked = self._linker.link(block.rows, self._points(block.rows))
            if block.unreadable:
                lines = dict(zip(block.numbers, linked.links, strict=True))
                lines |= {number: self._linker.unreadable() for number in block.unreadable}
                linked = linked._replace(links=[lines[number] for number in sorted(lines)])
            yield linked
        gc.enable()

    def _points(self, rows: pa.RecordBatch) -> Sequence[Point | None] | None:
        """Return longitude and latitude of each row in the register's datum; None where none are to be used."""
        if self.files.datum is None or not set(_PLACE) <= set(self._header.columns):
            return None
        lon, lat = (_degrees(rows.column(name).to_pylist()) for name in _PLACE)
        shift = datums.to_cgcs2000(self.files.datum)
        if shift is not None:
            lon, lat = shift(lon, lat)
        known = np.isfinite(lon) & np.isfinite(lat)
        return [(float(x), float(y)) if here else None for x, y, here in zip(lon, lat, known, strict=True)]


def _degrees(texts: Sequence[str | None]) -> datums.Degrees:
    """Return numbers (n,); not a number for what is none."""

    def read(text: str | None) -> float:
        try:
            return float(text) if text else float("nan")
        except ValueError:
            return float("nan")

    return np.array([read(text) for text in texts], dtype=np.float64)


def _repeated(path: Path, header: tables.Header) -> frozenset[str]:
    """Return the occupant ids that stand in the file more than once."""
    ids = [block.rows.column(NEEDED[0]) for block in tables.blocks(path, header, NEEDED[:1])]
    if not ids:
        return frozenset()
    counts = pc.value_counts(pc.utf8_trim_whitespace(pa.chunked_array(ids).combine_chunks().drop_null()))
    many = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    return frozenset(many.to_pylist())
