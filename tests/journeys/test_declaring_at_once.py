"""Twenty desks register declarations and moves at once while the database is killed: nobody is lost, nobody twice."""

import datetime as dt
import os
import signal
import threading
import time
import uuid
from pathlib import Path

import numpy as np
import psycopg
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gis.errors import DatabaseUnreachable, DeclarationDecided, ResidencyOverlaps
from gis.register import buildings
from gis.register.acts import Act, today
from gis.register.structures import Structure
from gis.residents import deciding, declarations, keys
from gis.residents.declarations import Declarer, Statement
from gis.residents.residencies import Dwelling
from gis.store import cluster, session
from gis.terms import DeclarationKind, DocumentType

DESKS = 20
DECLARATIONS = int(os.environ.get("MENPAI_BENCH_DECLARATIONS", "600"))
"""Arrivals and moves; ``make bench`` asks for 50,000."""
KILLS = 3 if DECLARATIONS > 10_000 else 1
MOVES_EACH = 4
PATIENCE_S = 0.2
COUNTIES = (640104, 640106, 640121, 640402)


def settle(number: int) -> list[Dwelling]:
    """Register that many houses, spread over counties that have desks of their own; return their dwellings."""
    dwellings = []
    with session.open("accounts") as connection:
        for county in COUNTIES:
            connection.execute(text("INSERT INTO reg.accounts (name) VALUES (:name)"), {"name": f"desk {county}"})
            connection.execute(
                text(
                    "INSERT INTO reg.account_grants (account_id, role, division_code)"
                    " SELECT id, 'registrar', :code FROM reg.accounts WHERE name = :name"
                ),
                {"name": f"desk {county}", "code": county * 10**6},
            )
    for index in range(number):
        west = 106.1 + index * 0.0004
        house = shapely.box(west, 38.4, west + 0.0001, 38.4001)
        with session.open("registrar", actor="office") as connection:
            done = buildings.register(connection, Structure(house, floors=1), Act("office"))
        with session.open("owner") as connection:  # invented ground: houses are told to counties in turn
            connection.execute(
                text("UPDATE reg.buildings SET division_code = :code WHERE number = :number"),
                {"code": COUNTIES[index % len(COUNTIES)] * 10**6, "number": done.numbers[0]},
            )
        dwellings.append(Dwelling(done.numbers[0], 1))
    return dwellings


class Desks:
    """Desks with one pile of people, each of whom arrives and then moves on, day by day."""

    def __init__(self, people: int, dwellings: list[Dwelling]) -> None:
        """Lay out the pile: who declares, where they go, and on which day."""
        dice = np.random.default_rng(5)
        self.dwellings = dwellings
        self.pile = [
            (person, step, int(place))
            for step in range(MOVES_EACH)
            for person, place in enumerate(dice.integers(0, len(dwellings), people))
        ]
        self.pile.reverse()
        self.guard = threading.Lock()
        self.late = 0
        self.registered: dict[int, int] = {}

    def work(self) -> None:
        """Declare and register until the pile is done; where the database does not answer, ask again."""
        while True:
            with self.guard:
                if not self.pile:
                    return
                person, step, place = self.pile.pop()
            done = self.declare(person, step, place)
            with self.guard:
                self.registered[person] = self.registered.get(person, 0) + done
                self.late += not done

    def declare(self, person: int, step: int, place: int) -> bool:
        """Declare a move and register it; False where a later one of this person was registered first."""
        actor = f"desk {COUNTIES[place % len(COUNTIES)]}"
        who = Declarer("测试员", DocumentType.PASSPORT, f"X00{person:06d}", birth_date=dt.date(1890, 1, 1))
        since = today() - dt.timedelta(days=50 - 10 * step)
        told = Statement(DeclarationKind.ARRIVAL, who, uuid.uuid4(), self.dwellings[place], since)
        number = None
        while True:
            try:
                number = number or declarations.take(told, actor).declaration
                deciding.register(number, actor)
            except (DatabaseUnreachable, OperationalError):
                time.sleep(PATIENCE_S)
            except ResidencyOverlaps:
                return False
            except DeclarationDecided:  # it was registered, and the answer was lost with the server
                return True
            else:
                return True


@pytest.mark.long
def test_twenty_desks_and_a_dying_database_lose_nobody_and_leave_nobody_in_two_homes(own_register: Path) -> None:
    keys.init()
    people = DECLARATIONS // MOVES_EACH
    desks = Desks(people, settle(24))
    threads = [threading.Thread(target=desks.work) for _ in range(DESKS)]
    for thread in threads:
        thread.start()
    for kill in range(1, KILLS + 1):
        while len(desks.pile) > DECLARATIONS * (KILLS + 1 - kill) // (KILLS + 1):
            time.sleep(0.05)
        running = cluster.find(own_register)
        assert running is not None
        os.kill(int((running.data_dir / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        cluster.start(own_register)
    for thread in threads:
        thread.join()

    with psycopg.connect(session.conninfo()) as looking:
        one = looking.execute(
            "SELECT count(DISTINCT person_id), count(*) FROM reg.residencies"
            " WHERE recorded_until IS NULL AND principal AND upper(during) IS NULL"
        ).fetchone()
        homes = looking.execute(
            "SELECT count(*) FROM reg.residencies a JOIN reg.residencies b ON a.person_id = b.person_id AND a.id < b.id"
            " AND a.during && b.during WHERE a.recorded_until IS NULL AND b.recorded_until IS NULL"
        ).fetchone()
        registered = looking.execute("SELECT count(*) FROM reg.declarations WHERE status = 'registered'").fetchone()
        made = looking.execute("SELECT count(*) FROM reg.residencies WHERE replaces_id IS NULL").fetchone()
        counted = looking.execute(
            "SELECT (SELECT sum(residents) FROM calc.building_residents), count(*) FROM reg.residencies"
            " WHERE recorded_until IS NULL AND principal AND during @> (now() AT TIME ZONE 'Asia/Shanghai')::date"
        ).fetchone()
    assert one == (people, people)
    assert homes == (0,)
    assert registered == made == (sum(desks.registered.values()),)
    assert counted is not None
    assert counted[0] == counted[1] == people
    assert sum(desks.registered.values()) + desks.late == people * MOVES_EACH
