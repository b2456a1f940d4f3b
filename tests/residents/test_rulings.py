"""Categories follow the law, the hukou and the division: set-wise, explained, and nothing that was said is lost."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
import shapely
from sqlalchemy import Connection, text

from gis.categories import CodeChange
from gis.errors import NotAllowed
from gis.register import buildings
from gis.register.acts import Act
from gis.register.buildings import Amendment
from gis.residents import registering, rulings
from gis.residents.rosters import import_roster
from gis.store import session

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]
FAR_YARD = "固原市原州区张易镇上马泉村2队20号"
SPOT = shapely.Point(106.237, 38.475)
LAW_DAY = dt.date(2027, 1, 1)


def all_of(statement: str, actor: str = "office") -> list[tuple[Any, ...]]:
    with session.open("registrar", actor=actor, purpose="correction") as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


IN_FORCE = (
    "SELECT occupant_id, category, category_reason FROM reg.residencies WHERE recorded_until IS NULL"
    " ORDER BY occupant_id"
)


@pytest.fixture
def people(office: str, made_roster: Rows, a_person: Person) -> str:
    """Let six people live in the yard and one far away, registered in several places."""
    hukou = ("640106", "640122", "640122", "610102", "", "640104")
    rows = [a_person(number) | {"hukou_code": code} for number, code in enumerate(hukou)]
    rows.append(a_person(6) | {"hukou_code": "640122", "address": FAR_YARD})
    done = import_roster(made_roster(*rows), source="名册", file_name="r.csv", actor=office)
    assert done.registered == len(rows)
    return office


@pytest.fixture
def new_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 贺兰县 become a part of 金凤区 in 2027."""
    known = registering.code_changes

    def changed(connection: Connection) -> tuple[CodeChange, ...]:
        return (*known(connection), CodeChange(2027, "撤销", 640122, 640106))

    monkeypatch.setattr(rulings, "code_changes", changed)


def test_where_nothing_changed_nothing_is_written(people: str) -> None:
    before = all_of("SELECT id, recorded_until FROM reg.residencies ORDER BY id")
    assert rulings.renew(people) == []
    assert all_of("SELECT id, recorded_until FROM reg.residencies ORDER BY id") == before


@pytest.mark.usefixtures("new_law")
def test_a_change_of_the_law_is_carried_out_set_wise_with_its_reason(people: str) -> None:
    before = all_of(IN_FORCE)
    told = rulings.renew(people, on=LAW_DAY, dry_run=True)
    assert all_of(IN_FORCE) == before
    assert rulings.renew(people, on=LAW_DAY) == told
    [shift] = told
    assert (shift.county, shift.hukou, shift.residencies) == (640106, 640122, 2)
    assert (shift.before, shift.after) == (("floating", "other_county"), ("permanent", "same_county"))
    changed = {name: ruling for name, *ruling in all_of(IN_FORCE)}
    kept = {name: ruling for name, *ruling in before if name not in {"P00001", "P00002"}}
    assert changed == kept | {name: ["permanent", "same_county"] for name in ("P00001", "P00002")}
    assert rulings.renew(people, on=LAW_DAY) == []


@pytest.mark.usefixtures("new_law")
def test_what_was_said_before_can_still_be_read(people: str) -> None:
    rulings.renew(people, on=LAW_DAY)
    assert (
        all_of(
            "SELECT o.category, n.category, o.during = n.during, o.person_id = n.person_id,"
            " o.row_digest = n.row_digest, o.record_key = n.record_key"
            " FROM reg.residencies n JOIN reg.residencies o ON o.id = n.replaces_id"
        )
        == [("floating", "permanent", True, True, True, True)] * 2
    )
    assert all_of("SELECT act, fields FROM reg.access_records ORDER BY id DESC LIMIT 1") == [
        ("renew categories", ["category"])
    ]


@pytest.mark.usefixtures("new_law")
def test_a_registrar_renews_their_own_divisions_and_nobody_elses(people: str) -> None:
    with pytest.raises(NotAllowed):
        rulings.renew("nobody", on=LAW_DAY)
    with session.open("accounts") as connection:
        connection.execute(
            text("UPDATE reg.account_grants SET valid_until = current_date - 1 WHERE role = 'registrar'")
        )
        connection.execute(
            text(
                "INSERT INTO reg.account_grants (account_id, role, division_code)"
                " SELECT id, 'registrar', 640402000000 FROM reg.accounts WHERE name = 'nobody'"
            )
        )
    assert rulings.renew("nobody", on=LAW_DAY) == []
    assert people


def test_a_building_found_in_another_county_changes_categories_and_its_review_follows(people: str) -> None:
    [(yard,)] = all_of("SELECT building_number FROM reg.external_references WHERE code = 'yard'")
    with session.open("registrar", actor=people) as connection:
        buildings.correct(connection, yard, Amendment({"division_code": 640122_000000}), Act(people))
    moved = {(shift.hukou, shift.after.category, shift.residencies) for shift in rulings.renew(people)}
    assert moved == {(640106, "floating", 1), (640122, "permanent", 2), (640104, "floating", 1)}
    assert all_of(
        "SELECT count(*) FROM reg.residency_reviews v JOIN reg.residencies r ON r.id = v.residency_id"
        " WHERE r.recorded_until IS NULL AND v.decided_at IS NULL"
    ) == [(6,)]
