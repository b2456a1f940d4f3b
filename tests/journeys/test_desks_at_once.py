"""Sixteen desks register at once, a quarter of it twice, and the database is killed under them: nothing is lost."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psycopg
import pytest
import shapely
from sqlalchemy.exc import OperationalError

from gis.errors import DatabaseUnreachable, DuplicateBuilding
from gis.register import buildings
from gis.register.acts import Act
from gis.register.structures import Structure
from gis.store import cluster, session

DESKS = 16
HOUSES = int(os.environ.get("MENPAI_BENCH_REGISTRATIONS", "2400"))
"""Registrations asked for; ``make bench`` asks for 20,000."""
KILLS = 5 if HOUSES > 10_000 else 2
PATIENCE_S = 0.2


def house(index: int) -> shapely.Polygon:
    """Return one of a town of houses that do not touch."""
    west, south = 106.1 + index % 150 * 0.0003, 38.4 + index // 150 * 0.0003
    return shapely.box(west, south, west + 0.0001, south + 0.0001)


class Desks:
    """Sixteen registrars with one pile of forms."""

    def __init__(self, forms: list[int]) -> None:
        """Take the pile; a form says which house it is about."""
        self.forms = forms
        self.guard = threading.Lock()
        self.acknowledged: dict[int, int] = {}
        """By house: the number the register said it has."""
        self.wrong: list[str] = []
        self.known_already = 0

    def work(self) -> None:
        """Register until no form is left; where the database does not answer, ask again."""
        while True:
            with self.guard:
                if not self.forms:
                    return
                form = self.forms.pop()
            number = self.register(form)
            with self.guard:
                if self.acknowledged.setdefault(form, number) != number:
                    self.wrong.append(f"house {form} has two numbers")

    def register(self, form: int) -> int:
        """Return the number of a house, whether this desk registered it or another."""
        while True:
            try:
                with session.open("registrar", actor="desk") as connection:
                    done = buildings.register(connection, Structure(house(form), floors=1), Act("desk"))
            except DuplicateBuilding as known:
                self.known_already += 1
                return int(str(known.facts["number"]))
            except (DatabaseUnreachable, OperationalError):
                time.sleep(PATIENCE_S)
            else:
                return done.numbers[0]


@pytest.mark.long
def test_sixteen_desks_and_a_dying_database_lose_and_double_nothing(own_register: Path) -> None:
    different = HOUSES * 3 // 4
    dice = np.random.default_rng(3)
    forms = [*range(different), *dice.integers(0, different, HOUSES - different).tolist()]
    dice.shuffle(forms)
    desks = Desks(forms)
    threads = [threading.Thread(target=desks.work) for _ in range(DESKS)]
    for thread in threads:
        thread.start()
    for kill in range(1, KILLS + 1):
        while len(desks.forms) > HOUSES * (KILLS + 1 - kill) // (KILLS + 1):
            time.sleep(0.05)
        running = cluster.find(own_register)
        assert running is not None
        os.kill(int((running.data_dir / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        cluster.start(own_register)
    for thread in threads:
        thread.join()

    assert desks.wrong == []
    assert desks.known_already >= HOUSES - different
    assert len(set(desks.acknowledged.values())) == different
    with psycopg.connect(session.conninfo()) as looking:
        rows = looking.execute("SELECT number, ST_AsBinary(geometry), registered_seq FROM reg.buildings").fetchall()
        events = looking.execute("SELECT count(*), min(seq), max(seq) FROM reg.building_events").fetchone()
    assert {row[0] for row in rows} == set(desks.acknowledged.values())
    shapes = {row[0]: shapely.from_wkb(bytes(row[1])) for row in rows}
    assert all(shapes[number].equals(house(form)) for form, number in desks.acknowledged.items())
    assert events == (different, 1, different)
