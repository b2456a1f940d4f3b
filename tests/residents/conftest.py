"""An office with a registrar, its keys, and a few buildings in two counties: invented people only."""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
import shapely
from sqlalchemy import text

from gis.register.batches import import_buildings
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions
from gis.residents import keys
from gis.residents.keys import KeyStore
from gis.residents.rows import ROSTER_ROWS
from gis.store import session

Rows = Callable[..., pa.Table]
FLATS = "宁夏回族自治区银川市金凤区长城中路街道鲁银社区羊市巷146号紫云公馆4号楼"
YARD = "宁夏回族自治区银川市金凤区良田镇园林村三组30号"
FAR_YARD = "宁夏回族自治区固原市原州区张易镇上马泉村二队20号"
BUILDINGS = [
    ("flats", FLATS, "2", "6", "2", 106.236, 38.474),
    ("yard", YARD, None, None, None, 106.237, 38.475),
    ("far yard", FAR_YARD, None, None, None, 106.281, 36.007),
]


@pytest.fixture
def keys_made(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyStore]:
    """Yield a fresh key store, which the settings name too."""
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path_factory.mktemp("office") / "keys" / "master.key"))
    keys.init()
    with keys.open_store() as store:
        yield store


def grant(name: str, *divisions: int) -> None:
    """Make an account with a registrar's grant for each division."""
    with session.open("accounts") as connection:
        connection.execute(text("INSERT INTO reg.accounts (name) VALUES (:name)"), {"name": name})
        for division in divisions:
            connection.execute(
                text(
                    "INSERT INTO reg.account_grants (account_id, role, division_code)"
                    " SELECT id, 'registrar', :division FROM reg.accounts WHERE name = :name"
                ),
                {"name": name, "division": division},
            )


@pytest.fixture
def office(database: str, keys_made: KeyStore) -> str:
    """Return the name of a registrar for all of Ningxia, with three buildings registered."""
    assert database
    assert keys_made
    grant("office", 640000_000000)
    grant("jinfeng", 640106_000000)
    grant("nobody")
    rows = [
        dict.fromkeys(STRUCTURE_ROWS.names)
        | {"row": number, "source_id": code, "kind": "residential", "standard_address": address}
        | {"entrances": entrances, "floors": floors, "rooms_per_floor": rooms}
        | {"geometry": shapely.to_wkb(shapely.Point(lon, lat))}
        for number, (code, address, entrances, floors, rooms, lon, lat) in enumerate(BUILDINGS, 1)
    ]
    table = pa.Table.from_pylist(rows, schema=STRUCTURE_ROWS)
    done = import_buildings(table, ImportOptions("test", "buildings.csv", "office", test_numbers=True))
    assert done.registered == len(BUILDINGS)
    return "office"


def roster(*rows: dict[str, str]) -> pa.Table:
    """Return a roster of these rows; columns they do not name are empty."""
    filled = [dict.fromkeys(ROSTER_ROWS.names) | {"row": number} | row for number, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(filled, schema=ROSTER_ROWS)


@pytest.fixture
def made_roster() -> Rows:
    """Return the maker of rosters."""
    return roster


@pytest.fixture
def a_person() -> Callable[[int], dict[str, str]]:
    """Return the maker of an invented person, by number: identity numbers of people born in 1880."""

    def make(number: int) -> dict[str, str]:
        from stdnum.iso7064 import mod_11_2  # noqa: PLC0415 - beside what it is used for

        body = f"6401061880{number // 500 % 12 + 1:02d}01{number % 500:03d}"
        return {
            "occupant_id": f"P{number:05d}",
            "address": f"{YARD}",
            "name": f"测试员{number:05d}",
            "doc_type": "ID",
            "id_number": body + mod_11_2.calc_check_digit(body),
            "sex": "男",
            "hukou_code": "640106",
            "from_date": "2026-01-01",
        }

    return make
