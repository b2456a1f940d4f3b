"""A planner's own speeds: CSV with the columns class and kmh, or JSON {"primary": 40}."""

import csv
from pathlib import Path

import orjson

from gis.errors import FileNotReadable


def read_speeds(path: Path) -> dict[str, float]:
    """Return km/h by class of road, or by ``default`` and ``access``; whether these are speeds is planning's to say.

    Raises FileNotReadable.
    """
    try:
        raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        pairs = _from_json(raw) if path.suffix.lower() == ".json" else _from_csv(raw)
        return {name.strip(): float(kmh) for name, kmh in pairs.items()}
    except OSError as error:
        raise FileNotReadable(path=path, why=error.strerror or str(error)) from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        why = f'expected the columns class and kmh, or JSON such as {{"primary": 40}} ({error})'
        raise FileNotReadable(path=path, why=why) from error


def _from_json(raw: bytes) -> dict[str, float]:
    """Return the members of an object."""
    return dict(orjson.loads(raw).items())


def _from_csv(raw: bytes) -> dict[str, str]:
    """Return the second column by the first."""
    return {row["class"]: row["kmh"] for row in csv.DictReader(raw.decode().splitlines())}
