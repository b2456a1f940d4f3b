"""REGISTER and NAMES files of ``menpai match`` (contract.md): a register as a table, and names that were."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data import tables
from gis.errors import TableNotReadable
from gis.register.matching.index import Building
from gis.register.matching.naming import NameChange
from gis.terms import BuildingStatus

_REGISTER: Final = (
    "building_no", "standard_address", "lon", "lat", "units", "floors", "rooms_per_floor", "status",
)  # fmt: skip
_NAMES: Final = ("county_code", "current_name", "former_name")
_NOWHERE: Final = math.nan


@dataclass
class RegisterFile:
    """A REGISTER file; what could not be taken from it is counted as it is read."""

    path: Path
    unreadable: int = 0
    """Rows with a wrong number of fields, without a building_no or without an address."""

    def buildings(self) -> Iterator[Building]:
        """Yield its buildings; raises TableNotReadable."""
        header = tables.read_header(self.path, _REGISTER, ("building_no", "standard_address"))
        for block in tables.blocks(self.path, header, _REGISTER):
            self.unreadable += len(block.unreadable)
            columns = [column.to_pylist() for column in block.rows.columns]
            for number, address, lon, lat, entrances, floors, rooms, status in zip(*columns, strict=True):
                if not number or not address:
                    self.unreadable += 1
                    continue
                active = (status or "").strip().lower() in {"", BuildingStatus.ACTIVE.value}
                yield Building(
                    number.strip(), address, active, _count(entrances), _count(floors), _count(rooms),
                    _degrees(lon), _degrees(lat),
                )  # fmt: skip


def read_names(path: Path) -> list[NameChange]:
    """Return the former names of a NAMES file; raises TableNotReadable for one that cannot be read throughout."""
    header = tables.read_header(path, _NAMES, _NAMES)
    changes: list[NameChange] = []
    for block in tables.blocks(path, header, _NAMES):
        if block.unreadable:
            raise TableNotReadable(path=path, why=f"row {block.unreadable[0]} has a wrong number of fields")
        for number, row in zip(block.numbers, block.rows.to_pylist(), strict=True):
            code, current, former = (row[name] for name in _NAMES)
            if not (code or "").strip().isdecimal() or not current or not former:
                raise TableNotReadable(path=path, why=f"row {number} lacks a county code or a name")
            changes.append(NameChange(int(code.strip()[:6]), current, former))
    return changes


def _count(text: str | None) -> int:
    """Return a count; 0 for what is none or cannot be."""
    word = (text or "").strip()
    return min(int(word), 1000) if word.isascii() and word.isdecimal() else 0


def _degrees(text: str | None) -> float:
    try:
        return float(text) if text else _NOWHERE
    except ValueError:
        return _NOWHERE
