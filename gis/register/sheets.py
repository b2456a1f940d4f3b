"""A file's rows on their way into the register: their shapes, attributes, and what stands against each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from gis.register import checking
from gis.register.checking import Verdicts
from gis.register.rows import parse_shapes
from gis.terms import BuildingKind, Reason


@dataclass(frozen=True)
class ImportOptions:
    """How a file is to be taken."""

    source: str
    """Name of the source; a row's own code is unique within it."""
    file_name: str
    actor: str
    division: int | None = None
    """Twelve-digit division for rows outside every known boundary; None refuses them."""
    kind: BuildingKind | None = None
    """Kind of rows that say none."""
    test_numbers: bool = False
    """Give numbers that begin with 9, as fiction and trials must."""
    dry_run: bool = False


class Sheet:
    """The rows of one file, as columns of shape (n,), and the verdicts on them so far."""

    def __init__(self, rows: pa.Table, options: ImportOptions) -> None:
        """Check everything that can be checked without the register; ``rows`` is rows.STRUCTURE_ROWS."""
        self.rows = rows
        self.options = options
        self.verdicts = Verdicts.none(rows.num_rows)
        self._note_problems()
        self.attributes = checking.read_attributes(rows, options.kind, self.verdicts)
        blobs = rows["geometry"].combine_chunks()
        self.shapes = parse_shapes(blobs.to_numpy(zero_copy_only=False))
        checking.check_shapes(self.shapes, np.asarray(blobs.is_null()), self.verdicts)
        self.bounds = shapely.bounds(self.shapes)
        self.standing: dict[int, int] = {}
        """By position: the registered building that a row is, or that stands against it."""
        self.rivals: dict[int, int] = {}
        """By position: the position of an earlier row of the file that stands against a row."""
        self.unchanged = np.zeros(rows.num_rows, dtype=bool)
        self.waiting = np.zeros(rows.num_rows, dtype=bool)
        """Queued rows that wait for a person since an earlier import."""
        self.numbers = np.zeros(rows.num_rows, dtype=np.int64)

    @property
    def open(self) -> npt.NDArray[np.intp]:
        """Positions of rows that nothing stands against and that are not registered already, ascending."""
        return np.flatnonzero(self.verdicts.good & ~self.unchanged)

    def strike(self, position: int, reason: Reason, detail: str, building_number: int | None = None) -> None:
        """Hold a reason against one row, and name the building it met."""
        self.verdicts.reasons[position] = reason
        self.verdicts.details[position] = detail
        if building_number is not None:
            self.standing[position] = building_number

    def strike_rival(self, position: int, reason: Reason, earlier: int) -> None:
        """Hold an earlier row of the file against one."""
        self.strike(position, reason, f"row {self.row(earlier)} of the file")
        self.rivals[position] = earlier

    def name_rivals(self) -> None:
        """Name the building that stands against a row where an earlier row of the file does, once it has a number."""
        for position, earlier in self.rivals.items():
            if self.numbers[earlier]:
                self.standing[position] = int(self.numbers[earlier])

    def row(self, position: int) -> int:
        """Return a row's place in its file, from 1."""
        return int(self.rows["row"][position].as_py())

    def words(self, column: str, positions: npt.NDArray[np.intp]) -> list[Any]:
        """Return a column's texts at some positions, None where empty."""
        if self.rows[column].null_count == self.rows.num_rows:
            return [None] * len(positions)
        words: list[Any] = self.rows[column].take(pa.array(positions)).to_pylist()
        return [word.strip() or None if word else None for word in words]

    def _note_problems(self) -> None:
        """Hold against the rows what their reader could not read."""
        if self.rows["problem"].null_count == self.rows.num_rows:
            return
        for position, problem in enumerate(self.rows["problem"].to_pylist()):
            if problem is not None:
                self.strike(position, Reason.UNREADABLE_ROW, problem)
