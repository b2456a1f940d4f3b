"""What .security says is proved by tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_is_named_exists() -> None:
    found = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE)
    }
    named = {
        name
        for path in (ROOT / ".security").glob("*.md")
        for name in re.findall(r"`(test_\w+)`", path.read_text("utf-8"))
    }
    assert len(named) > 50
    assert named - found == set()


def test_what_is_neither_proved_nor_met_is_said() -> None:
    rows = [line for line in (ROOT / ".security" / "asvs.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    silent = [row for row in rows[1:] if "`test_" not in row and "not met" not in row and "see " not in row]
    assert silent == []


def test_every_file_that_is_named_exists() -> None:
    named = {
        name
        for path in (ROOT / ".security").glob("*.md")
        for name in re.findall(r"`((?:gis|api|tests|data|maps)/[\w/.]+)`", path.read_text("utf-8"))
    }
    assert {name for name in named if not (ROOT / name).exists()} == set()
