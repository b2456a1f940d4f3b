"""Words stay where they belong: fields of a person in a few rooms, banned words nowhere (words.md)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("gis", "api", "maps", "data")
PEOPLE = {
    "gis/residents/": "where people are handled",
    "gis/store/people_models.py": "their tables",
    "gis/store/migrations/": "how these came about",
    "gis/terms.py": "the words themselves",
    "data/fiction/": "invented people",
    "data/rosters.py": "the roster reader",
    "api/commands/people.py": "a door of the residents",
    "api/declaring.py": "the desk at which they declare",
    "api/own_desk.py": "their own desk",
}
"""Where fields of a person may be named. A new door of the residents is written down here."""
PAGES_OF_PEOPLE = {
    f"api/web/{name}" for name in ("desk.js", "desk.html", "record.js", "record.html", "residency-words.js")
}
"""The pages of the registrar's desk and of the resident's own, which hold nothing until somebody asks with a right."""
PERSON_WORDS = re.compile(
    r"(?:^|_)(?:person|occupant|resident|given|family)_names?(?:_|$)"
    r"|(?:^|_)(?:surnames?|birth|birthdays?|sex|gender|hukou|nationality|citizenship|envelope|id_number|id_card)(?:_|$)"
    r"|(?:^|_)(?:doc|document|passport)_(?:types?|numbers?|digests?)(?:_|$)|(?:^|_)passports?(?:_|$)|(?:^|_)person_ids?$"
)
PERSON_TABLES = re.compile(r"\b(?:persons|residencies|declarations|roster_rows|access_records)\b")
EXCEPTIONS = {
    "gis/categories.py": {
        *("hukou", "citizenship", "citizenship_class", "hukou_unknown"),  # Article 3 decides codes, and sees no person
    },
    "gis/errors.py": {"envelope_broken"},  # an error that says so, and no more
}
"""Words of people elsewhere, each for the reason beside it."""
BANNED_MODULES = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "report", "reports"}
BANNED_PARTS = {"unit", "units", "report", "reports", "utils", "helper", "helpers", "manager", "misc"} | {
    # pinyin where an English word stands in words.md
    *("jianzhu", "jianzhuwu", "bianhao", "dizhi", "danyuan", "quhua", "xiaqu", "renkou", "renyuan", "shenbao"),
    *("mingce", "pipei", "wangge", "gongpeng", "fangwu", "liudong", "changzhu", "xiaoqu", "gongdi", "yuanluo"),
}
BANNED_NAMES = {"data", "info", "obj"}
BANNED_WITH_A_REASON = {
    "gis/store/postmaster.py": {"data"},  # PostgreSQL's word for the folder of a cluster
    "data/fiction/shapes.py": {"unit"},  # an outline one by one large: the mathematicians' word, not 单元
}


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield the path in the checkout and the syntax tree of every module of the program."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            yield path.relative_to(root).as_posix(), ast.parse(path.read_text("utf-8"))


def spoken(tree: ast.AST) -> set[str]:
    """Return every identifier, in snake case, and every lower-case word of every string but docstrings."""
    found: set[str] = set()
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            found.update(re.findall(r"(?<!\w)[a-z][a-z0-9_]*(?!\w)", node.value))
        elif isinstance(node, ast.keyword):
            found.add(snake(node.arg or ""))
        else:
            found.update(map(snake, used(node)))
    return found


def used(node: ast.AST) -> Iterator[str]:
    """Yield the identifiers that a node writes down itself."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield from (*name.split("."), other or "")


def defined(tree: ast.AST) -> set[str]:
    """Return the names that a module gives to things of its own; what it calls elsewhere is others' affair."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                found.add(snake(name))
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(snake(name))
            case ast.alias(asname=str(name)):
                found.add(snake(name))
    return found


def snake(name: str) -> str:
    """Return CamelCase and CONSTANTS as snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def at_home(path: str) -> bool:
    """Tell whether fields of a person may be named in a module."""
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in PEOPLE)


def test_fields_of_a_person_are_named_only_where_people_are_handled(root: Path) -> None:
    found = {
        path: words
        for path, tree in modules(root)
        if not at_home(path)
        and (words := {word for word in spoken(tree) if PERSON_WORDS.search(word)} - EXCEPTIONS.get(path, set()))
    }
    assert found == {}


def test_pages_and_drawings_name_no_field_of_a_person(root: Path) -> None:
    found = {
        (path.relative_to(root).as_posix(), word)
        for room in ("api", "maps")
        for pattern in ("*.html", "*.js", "*.css")
        for path in (root / room).rglob(pattern)
        if "vendor" not in path.parts and path.relative_to(root).as_posix() not in PAGES_OF_PEOPLE
        for word in re.findall(r"\w+", path.read_text("utf-8"))
        if PERSON_WORDS.search(snake(word))
    }
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        "id_number = 1",
        "def open_it(birth_date): ...",
        "row.sex",
        "text('SELECT envelope FROM reg.persons')",
        "Column(document_number=3)",
        "from gis.terms import DocumentType",
        "HUKOU_CODE = 1",
        "fields = ['nationality']",
        "class Person:\n    surname: str",
        "row['person_id']",
    ],
)
def test_a_field_of_a_person_is_recognised(line: str) -> None:
    assert [word for word in spoken(ast.parse(line)) if PERSON_WORDS.search(word)]


def test_words_of_structures_are_not_taken_for_people() -> None:
    line = "ST_MakeEnvelope(standard_address, building_number, division_name, document, documents, resident_count)"
    words = spoken(ast.parse(line)) - {"st_make_envelope"}
    assert [word for word in words if PERSON_WORDS.search(word)] == []


def test_the_exceptions_and_the_rooms_of_people_are_still_needed(root: Path) -> None:
    told = {path: spoken(tree) for path, tree in modules(root)}
    assert {path for path, words in EXCEPTIONS.items() if not words & told.get(path, set())} == set()
    assert {path for path, words in BANNED_WITH_A_REASON.items() if not words & told.get(path, set())} == set()
    assert {place for place in PEOPLE if not any(path.startswith(place) for path in told)} == set()


def test_only_residents_and_the_migrations_name_tables_of_people(root: Path) -> None:
    allowed = ("gis/residents/", "gis/store/people_models.py", "gis/store/migrations/")
    found = {
        (path, node.lineno)
        for path, tree in modules(root)
        if not path.startswith(allowed)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        # a docstring may explain; a statement that reads a table qualifies or joins it
        if re.search(r"\breg\.\w+", node.value) and PERSON_TABLES.search(node.value)
    }
    assert found == set()


def test_only_residents_and_the_migrations_import_the_models_of_people(root: Path) -> None:
    found = {
        path
        for path, tree in modules(root)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "people_models"
        in {part for alias in node.names for part in alias.name.split(".")}
        | set((getattr(node, "module", None) or "").split("."))
    }
    assert {path for path in found if not path.startswith(("gis/residents/", "gis/store/migrations/"))} == set()
    assert "gis/store/migrations/env.py" in found


def test_no_module_has_a_name_that_says_nothing(root: Path) -> None:
    paths = [path for room in (*ROOMS, "tests") for path in (root / room).rglob("*.py")]
    parts = {part.removesuffix(".py") for path in paths for part in path.relative_to(root).parts}
    words = {word for part in parts for word in part.split("_")}
    assert "numbering" in parts
    assert words & BANNED_MODULES == set()


def test_nothing_is_called_by_a_banned_word(root: Path) -> None:
    found = {
        path: words
        for path, tree in modules(root)
        if (words := banned(defined(tree)) - BANNED_WITH_A_REASON.get(path, set()))
    }
    assert found == {}


def banned(names: set[str]) -> set[str]:
    """Return the names that words.md bans, whole or in a part."""
    return {name for name in names if name in BANNED_NAMES or BANNED_PARTS & set(name.split("_"))}


@pytest.mark.parametrize(
    "line",
    ["unit = 1", "def make_report(): ...", "for data in rows: ...", "class FileManager: ...", "lambda obj: obj"],
)
def test_a_banned_word_is_recognised(line: str) -> None:
    assert banned(defined(ast.parse(line)))
