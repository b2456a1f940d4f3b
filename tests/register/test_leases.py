"""Numbers taken along into the field: each goes to one building or to none, whoever asks, however often, at once."""

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
import shapely
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from gis import numbering
from gis.errors import BadArgument, LeaseNotFound, NumberNotLeased, UnknownDivision, UuidTaken
from gis.register import acts, buildings, leases
from gis.register.acts import Act
from gis.register.leases import Lease, Wanted
from gis.register.structures import Structure
from gis.store import session
from gis.terms import BuildingKind

COUNTY = 640106000000
SOON = acts.today() + dt.timedelta(days=7)
WANTED = Wanted(uuid.UUID(int=1), BuildingKind.RESIDENTIAL, COUNTY, 3, SOON)
ACT = Act("wang")


def square(step: int) -> shapely.Polygon:
    """Return one of a row of squares that do not touch."""
    west, south = 106.2 + step * 0.001, 38.4
    return shapely.box(west, south, west + 0.0002, south + 0.0002)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a registrar's session on an empty register."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        yield opened


def expire(database: str, lease: Lease) -> None:
    """Let the lease have ended yesterday, past the trigger that keeps it."""
    with psycopg.connect(database) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE reg.number_leases SET expires_on = current_date - 1 WHERE uuid = %s", (lease.uuid,))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"many": 0}, BadArgument),
        ({"many": 501}, BadArgument),
        ({"expires_on": acts.today() - dt.timedelta(days=1)}, BadArgument),
        ({"expires_on": acts.today() + dt.timedelta(days=93)}, BadArgument),
        ({"division_code": 111_111_111_111}, UnknownDivision),
    ],
)
def test_a_lease_beyond_its_bounds_is_refused_and_takes_no_number(
    connection: Connection, changed: dict[str, int], error: type[Exception]
) -> None:
    before = connection.exec_driver_sql("SELECT next_serial FROM reg.number_serials").scalar_one()
    with pytest.raises(error):
        leases.lease(connection, replace(WANTED, **changed), "wang")  # type: ignore[arg-type]
    assert connection.exec_driver_sql("SELECT next_serial FROM reg.number_serials").scalar_one() == before


def test_a_program_gone_wrong_leases_no_more_than_so_often_a_day(connection: Connection) -> None:
    for serial in range(leases.MOST_A_DAY):
        leases.lease(connection, replace(WANTED, uuid=uuid.UUID(int=serial), many=1), "wang")
    with pytest.raises(BadArgument, match="leases a day"):
        leases.lease(connection, replace(WANTED, uuid=uuid.UUID(int=999)), "wang")
    leases.lease(connection, replace(WANTED, uuid=uuid.UUID(int=999)), "li")


def test_asking_again_gives_the_same_numbers_and_another_wish_needs_another_uuid(connection: Connection) -> None:
    first = leases.lease(connection, WANTED, "wang")
    assert leases.lease(connection, WANTED, "wang") == first
    with pytest.raises(UuidTaken):
        leases.lease(connection, replace(WANTED, many=4), "wang")
    with pytest.raises(UuidTaken):
        leases.lease(connection, WANTED, "li")


@pytest.mark.parametrize(("kind", "digit"), [(BuildingKind.RESIDENTIAL, "1"), (BuildingKind.WORK_SHED, "2")])
def test_leased_numbers_are_valid_and_show_their_kind(connection: Connection, kind: BuildingKind, digit: str) -> None:
    numbers = leases.lease(connection, replace(WANTED, kind=kind, many=500), "wang").numbers
    assert len(set(numbers)) == 500
    assert all(numbering.is_valid(str(number)) and str(number)[0] == digit for number in numbers)


def test_a_desk_never_issues_a_number_that_a_tablet_has(connection: Connection) -> None:
    leased = leases.lease(connection, WANTED, "wang")
    issued = {buildings.register(connection, Structure(square(step)), ACT).numbers[0] for step in range(5)}
    assert issued.isdisjoint(leased.numbers)


def test_a_building_gets_the_number_on_its_plate_once(connection: Connection) -> None:
    lease = leases.lease(connection, WANTED, "wang")
    number = lease.numbers[1]
    assert buildings.register(connection, Structure(square(0)), ACT, leased=number).numbers == (number,)
    with pytest.raises(NumberNotLeased, match="already"):
        buildings.register(connection, Structure(square(1)), ACT, leased=number)
    assert leases.get_lease(connection, lease.uuid).used == (number,)


def test_a_number_is_refused_to_others_to_another_kind_and_where_none_was_leased(connection: Connection) -> None:
    number = leases.lease(connection, WANTED, "wang").numbers[0]
    with pytest.raises(NumberNotLeased, match="no lease of li"):
        buildings.register(connection, Structure(square(0)), Act("li"), leased=number)
    hut = Structure(square(0), kind=BuildingKind.OTHER_HABITABLE)
    with pytest.raises(NumberNotLeased, match="other_habitable"):
        buildings.register(connection, hut, ACT, leased=number)
    with pytest.raises(NumberNotLeased, match="no lease"):
        buildings.register(connection, Structure(square(0)), ACT, leased=int(numbering.issue(10**8, "residential")))


def test_what_is_given_back_or_expired_is_void_and_goes_to_nobody(connection: Connection, database: str) -> None:
    back = leases.lease(connection, WANTED, "wang")
    late = leases.lease(connection, replace(WANTED, uuid=uuid.UUID(int=2)), "wang")
    buildings.register(connection, Structure(square(0)), ACT, leased=back.numbers[0])
    ended = leases.give_back(connection, back.uuid, "wang")
    assert (ended.is_open, ended.used, ended.void) == (False, back.numbers[:1], back.numbers[1:])
    assert leases.give_back(connection, back.uuid, "li") == ended
    connection.commit()
    expire(database, late)
    with session.open("registrar", actor="wang") as later:
        assert leases.get_lease(later, late.uuid).void == late.numbers
        assert leases.find_leases(later, "wang") == []
        assert len(leases.find_leases(later, "wang", ended=True)) == 2
        for number, why in ((back.numbers[1], "given back"), (late.numbers[0], "expired")):
            with pytest.raises(NumberNotLeased, match=why):
                buildings.register(later, Structure(square(1)), ACT, leased=number)
        more = leases.lease(later, replace(WANTED, uuid=uuid.UUID(int=3), many=100), "li")
        assert {*more.numbers}.isdisjoint({*back.numbers, *late.numbers})


def test_nobody_gives_back_what_was_never_leased(connection: Connection) -> None:
    with pytest.raises(LeaseNotFound):
        leases.give_back(connection, uuid.UUID(int=9), "wang")


def test_tablets_and_desks_at_once_never_share_a_number(database: str) -> None:
    assert database

    def tablet(place: int) -> list[int]:
        with session.open("registrar", actor=f"tablet {place}") as opened:
            wanted = replace(WANTED, uuid=uuid.UUID(int=place), many=37)
            return list(leases.lease(opened, wanted, f"tablet {place}").numbers)

    def desk(place: int) -> list[int]:
        with session.open("registrar", actor="wang") as opened:
            return list(buildings.register(opened, Structure(square(place)), ACT).numbers)

    with ThreadPoolExecutor(8) as crowd:
        taken = [*crowd.map(tablet, range(12)), *crowd.map(desk, range(12))]
    numbers = [number for some in taken for number in some]
    assert len(numbers) == len(set(numbers)) == 12 * 37 + 12


def test_the_same_tablet_asking_eight_times_at_once_has_one_lease(database: str) -> None:
    def ask(_: int) -> tuple[int, ...]:
        with session.open("registrar", actor="wang") as opened:
            return leases.lease(opened, WANTED, "wang").numbers

    with ThreadPoolExecutor(8) as crowd:
        assert len(set(crowd.map(ask, range(8)))) == 1
    with psycopg.connect(database) as looking:
        assert looking.execute("SELECT count(*) FROM reg.leased_numbers").fetchone() == (3,)


def test_one_number_given_to_two_houses_at_once_goes_to_one_of_them(database: str) -> None:
    assert database
    with session.open("registrar", actor="wang") as opened:
        number = leases.lease(opened, WANTED, "wang").numbers[0]

    def give(step: int) -> bool:
        try:
            with session.open("registrar", actor="wang") as opened:
                buildings.register(opened, Structure(square(step)), ACT, leased=number)
        except NumberNotLeased:
            return False
        return True

    with ThreadPoolExecutor(4) as crowd:
        assert sum(crowd.map(give, range(4))) == 1


def lease_and_die(database: str) -> None:
    """Lose the connection after the lease was written and before it was committed."""
    with session.open("registrar", actor="wang") as doomed:
        leases.lease(doomed, WANTED, "wang")
        backend = doomed.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(database) as owner:
            owner.execute("SELECT pg_terminate_backend(%s)", (backend,))
        doomed.exec_driver_sql("SELECT 1")


def test_a_connection_lost_before_the_commit_leaves_no_lease_and_no_number_twice(database: str) -> None:
    with pytest.raises(OperationalError):
        lease_and_die(database)
    with session.open("registrar", actor="li") as other:
        theirs = leases.lease(other, replace(WANTED, uuid=uuid.UUID(int=2)), "li").numbers
    with session.open("registrar", actor="wang") as again:
        assert {*leases.lease(again, WANTED, "wang").numbers}.isdisjoint(theirs)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reg.number_leases",
        "TRUNCATE reg.number_leases CASCADE",
        "DELETE FROM reg.leased_numbers",
        "TRUNCATE reg.leased_numbers",
        "UPDATE reg.leased_numbers SET number = 153273413646",
        "UPDATE reg.number_leases SET actor = 'li'",
        "UPDATE reg.number_leases SET expires_on = expires_on + 1",
        "UPDATE reg.number_leases SET ended_at = NULL, ended_by = NULL",
        "INSERT INTO reg.leased_numbers SELECT number, lease_uuid FROM reg.leased_numbers",
    ],
)
def test_the_database_itself_keeps_every_lease_as_it_was(database: str, statement: str) -> None:
    with session.open("registrar", actor="wang") as connection:
        leases.lease(connection, replace(WANTED, many=1), "wang")
        leases.give_back(connection, WANTED.uuid, "wang")
    with psycopg.connect(database) as owner, pytest.raises(psycopg.errors.IntegrityError):
        owner.execute(statement.encode())
