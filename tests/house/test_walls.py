"""The walls between the rooms stand: imports, statements, what is shipped, and what is kept."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOMS = ("gis", "api", "maps", "data")
HEAVIEST_BYTES = 5_000_000
DOORS_OVER_FILES = "doors over files and drawing over the register"
FLOORS = "floors of the register"
AGGREGATES = "aggregates, drawings and exports never reach people, even indirectly"
BREAKS = {
    "the register opens a door": ("gis/register/cells.py", "import api.answers", DOORS_OVER_FILES),
    "drawing reads a file": ("maps/style.py", "import data.osm", DOORS_OVER_FILES),
    "the store climbs to the register": ("gis/store/base.py", "import gis.register.cells", FLOORS),
    "a new module has no floor": ("gis/attic.py", "import gis.terms", FLOORS),
    "the register knows people": (
        "gis/register/cells.py",
        "import gis.store.people_models",
        "people: only residents and the migrations know the person tables",
    ),
    "planning opens a person": ("gis/planning/density.py", "import gis.residents.keys", AGGREGATES),
    "drawing reaches people through the planners": ("gis/planning/__init__.py", "import gis.residents", AGGREGATES),
    "an export opens a person": ("data/layers.py", "import gis.residents.keys", AGGREGATES),
    "a word knows frames": ("gis/terms.py", "import pandas", "the pure words know no database and no frames"),
    "a reader answers the web": ("data/osm.py", "import fastapi", "FastAPI lives in api only"),
    "a door draws": ("api/answers.py", "import folium", "folium and matplotlib live in maps only"),
}
RUNNERS = {"text", "SQL", "execute", "executemany", "exec_driver_sql", "scalar", "scalars", "stream", "copy"}
"""What takes a statement as its first argument."""
STATEMENT = re.compile(
    r"\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w|DELETE\s+FROM\s|WITH\s+\w+\s+AS|COPY\s+\w|MERGE\s+INTO\s|TRUNCATE\s"
    r"|(?:CREATE|DROP|ALTER|COMMENT\s+ON)\s+[A-Z]{4}|(?:GRANT|REVOKE)\s+[A-Z]{3}|SET\s+(?:LOCAL|ROLE|SESSION)\s|LOCK\s+TABLE)"
)

MADE_OF_CONSTANTS = {
    "gis/residents/keys.py": 1,  # PRAGMA takes no parameters; its four values stand in the line above
    "gis/residents/registering.py": 1,  # a temporary table with the columns of the constant SEALED
}
"""How many statements a module puts together from its own constants, each for the reason beside it."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts of a checkout, and of no other that is installed."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-P", "-c", program, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copied(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program's modules and contracts, to break."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(root / "pyproject.toml", folder)
    for room in ROOMS:
        shutil.copytree(root / room, folder / room, ignore=lambda _, names: {n for n in names if "vendor" in n})
    return folder


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """Return the files that are kept in git; without git, all that stand in the checkout."""
    git = (
        subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, text=True, check=False)
        if shutil.which("git")
        else None
    )
    if git is not None and git.returncode == 0:
        return [path for name in git.stdout.split("\0") if name and (path := root / name).is_file()]
    left_behind = {"var", "__pycache__", ".git", ".hypothesis"}
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not any(part in left_behind or part.endswith("_cache") for part in path.relative_to(root).parts)
    ]


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def test_every_import_contract_is_kept(root: Path, project: dict[str, Any]) -> None:
    done = lint(root)
    contracts = [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [name for name in contracts if f"{name} KEPT" not in done.stdout] == []


def test_every_import_contract_is_tried_below(project: dict[str, Any]) -> None:
    contracts = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    assert contracts - {contract for _, _, contract in BREAKS.values()} == set()


@pytest.mark.parametrize("what", BREAKS)
def test_a_wall_is_missed_when(what: str, copied: Path) -> None:
    name, line, contract = BREAKS[what]
    path = copied / name
    before = path.read_bytes() if path.exists() else None
    path.write_text((before or b"").decode() + f"\n{line}\n", "utf-8")
    try:
        done = lint(copied)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout


def composed(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where SQL is put together from strings instead of parameters or psycopg.sql."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and name_of(node.func) in RUNNERS and is_put_together(node.args[0]):
            yield node.lineno
        if isinstance(node, ast.expr) and is_put_together(node) and STATEMENT.match(beginning(node)):
            yield node.lineno


def name_of(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_put_together(node: ast.expr) -> bool:
    """Tell whether a string is made at run time: f-string, ``+`` or ``%``, ``format``, ``join`` or ``replace``."""
    match node:
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.FormattedValue) for part in parts)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return not all(isinstance(side, ast.Constant) for side in (node.left, node.right))
        case ast.Call(func=ast.Attribute(value=receiver, attr="format" | "format_map" | "join" | "replace")):
            # psycopg's own SQL(...).format(...) and SQL(...).join(...) quote what they take in
            return isinstance(receiver, ast.Constant | ast.JoinedStr | ast.Name)
    return False


def beginning(node: ast.expr) -> str:
    """Return the literal text a string made at run time begins with."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=[first, *_]):
            return beginning(first)
        case ast.BinOp(left=left):
            return beginning(left)
        case ast.Call(func=ast.Attribute(value=receiver)):
            return beginning(receiver)
    return ""


def test_no_statement_is_put_together_from_strings(root: Path) -> None:
    found = Counter(
        path.relative_to(root).as_posix()
        for room in ROOMS
        for path in (root / room).rglob("*.py")
        for _ in set(composed(ast.parse(path.read_text("utf-8"))))
    )
    assert found == MADE_OF_CONSTANTS


@pytest.mark.parametrize(
    "line",
    [
        "connection.execute(text(f'SELECT * FROM {table}'))",
        "connection.execute('SELECT ' + columns)",
        "cursor.execute('DELETE FROM reg.sources WHERE name = %s' % name)",
        "text('SELECT {}'.format(column))",
        "statement = f'UPDATE reg.buildings SET floors = {floors}'",
        "sql.SQL(f'DROP TABLE {name}')",
        "raw.execute(' '.join(parts))",
        "op.execute(f'CREATE INDEX ON {table}')",
        "query = 'SELECT number FROM reg.buildings' + where",
        "clause = 'INSERT INTO {} VALUES (1)'.format(table)",
    ],
)
def test_a_statement_put_together_is_found(line: str) -> None:
    assert list(composed(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "connection.execute(text('SELECT 1' ' FROM reg.buildings WHERE number = :number'), {'number': 1})",
        "sql.SQL('COPY {} FROM STDIN').format(sql.Identifier(table))",
        "message = f'SELECTED {many} rows'",
        "raw.execute(composed)",
    ],
)
def test_a_statement_with_parameters_is_left_alone(line: str) -> None:
    assert list(composed(ast.parse(line))) == []


def test_the_four_rooms_and_no_other_are_packages(root: Path, project: dict[str, Any], tracked: list[Path]) -> None:
    rooms = {path.relative_to(root).parts[0] for path in tracked if path.suffix == ".py"} - {"tests", ".setup"}
    assert rooms == set(ROOMS)
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == rooms
    assert set(project["tool"]["importlinter"]["root_packages"]) == rooms
    assert set(project["tool"]["mypy"]["packages"]) == rooms | {"tests"}


def test_a_stray_file_in_the_working_folder_hides_no_room(root: Path, tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / f"{room}.py").write_text("raise SystemExit('a stray file')\n", "utf-8")
    program = f"import json, {', '.join(ROOMS)}; print(json.dumps([{', '.join(f'{r}.__file__' for r in ROOMS)}]))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(name) for name in json.loads(done.stdout)] == [root / room / "__init__.py" for room in ROOMS]


def needed(root: Path, tracked: list[Path]) -> set[str]:
    """Return every file of the four rooms, whatever it is called."""
    return {path.relative_to(root).as_posix() for path in tracked if path.relative_to(root).parts[0] in ROOMS}


def test_nothing_the_program_needs_is_left_out_of_the_wheel_by_a_rule(
    root: Path, project: dict[str, Any], tracked: list[Path]
) -> None:
    rules = project["tool"]["hatch"]["build"]
    ignored = [line for line in (root / ".gitignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert rules.keys() == {"targets"}
    assert rules["targets"]["wheel"].keys() == {"packages"}
    # hatchling leaves out what git ignores, so a rule for a kind of file would lose those files without a word
    assert [line for line in ignored if not line.endswith("/")] == []
    folders = {line.strip("/") for line in ignored}
    assert {name for name in needed(root, tracked) if folders & set(name.split("/"))} == set()
    kinds = {Path(name).suffix for name in needed(root, tracked)}
    assert kinds >= {".sql", ".csv", ".geojson", ".json", ".html", ".js", ".css", ".mako", ".svg"}


@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed: no wheel to open"
)
def test_a_wheel_holds_every_file_the_program_needs(root: Path, tracked: list[Path], tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for path in tracked:
        copy = checkout / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == needed(root, tracked)


def test_nothing_kept_is_heavy_but_what_others_wrote(root: Path, tracked: list[Path]) -> None:
    own = [path for path in tracked if "vendor" not in path.parts]
    assert len(own) > 100
    assert {str(path.relative_to(root)) for path in own if path.stat().st_size > HEAVIEST_BYTES} == set()


def test_nothing_kept_names_a_registry_or_the_folders_of_whoever_built_it(root: Path, tracked: list[Path]) -> None:
    hosts = [
        *("pypi org", "pythonhosted org", "npmjs org", "npmjs com", "yarnpkg com", "unpkg com", "jsdelivr net"),
        *("cdnjs cloudflare com", "crates io", "anaconda org", "rubygems org", "deb debian org"),
    ]  # apart, so that this file does not name them
    places = [str(place) for place in (root, Path(sys.prefix)) if len(place.parts) > 2]  # "/" and "/usr" say nothing
    words = [re.escape(word) for word in [*(host.replace(" ", ".") for host in hosts), *places]]
    telling = re.compile("|".join([*words, r"/home/\w+/", r"/Users/\w+/"]))
    found = {
        (str(path.relative_to(root)), match.group())
        for path in tracked
        if "vendor" not in path.parts
        for match in telling.finditer(path.read_text("utf-8", errors="replace"))
    }
    assert found == set()
