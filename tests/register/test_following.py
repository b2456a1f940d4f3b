"""A follower of the change feed that stops and resumes at random, while eight desks write, ends with the register."""

import random
import threading
import time
from contextlib import suppress

import psycopg
import pytest
import shapely

from gis.errors import MenpaiError
from gis.register import buildings, changes
from gis.register.acts import Act
from gis.register.buildings import Amendment
from gis.register.structures import Structure
from gis.store import session

DESKS, HOUSES_EACH = 8, 12


def desk(number: int) -> None:
    """Register houses, change some and take some down; every act is a transaction of its own."""
    dice = random.Random(number)  # noqa: S311 - no secret
    for index in range(HOUSES_EACH):
        west = 106.1 + number * 0.01 + index * 0.0004
        with session.open("registrar", actor=f"desk {number}") as connection:
            house = Structure(shapely.box(west, 38.4, west + 0.0001, 38.4001), floors=1)
            made = buildings.register(connection, house, Act("desk")).numbers[0]
        if dice.random() < 0.6:
            with session.open("registrar", actor=f"desk {number}") as connection:
                buildings.change(connection, made, Amendment({"floors": 2}), Act("desk"))
        if dice.random() < 0.3:
            with session.open("registrar", actor=f"desk {number}") as connection:
                buildings.demolish(connection, made, Act("desk"))
        if dice.random() < 0.2:  # an act that is taken back leaves no gap
            with suppress(MenpaiError), session.open("registrar", actor=f"desk {number}") as connection:
                buildings.correct(connection, made, Amendment({"floors": 3}), Act("desk"))
                buildings.change(connection, made, Amendment({"floors": -1}), Act("desk"))


@pytest.mark.parametrize("seed", range(3))
def test_a_follower_that_stops_and_resumes_misses_nothing_while_desks_write(database: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    with session.open("registrar") as connection:
        place = changes.find_head(connection)
    desks = [threading.Thread(target=desk, args=(number,)) for number in range(DESKS)]
    for one in desks:
        one.start()
    known: dict[int, str] = {}
    last_look = False
    while True:
        with session.open("registrar") as connection:  # each look is a new follower that knows its place alone
            entries = changes.find_changes(connection, place, dice.randint(1, 9))
        assert [entry["seq"] for entry in entries] == list(range(place + 1, place + 1 + len(entries)))
        for entry in entries:
            for building in entry["buildings"]:
                known[building["number"]] = building["versions"][-1]["status"]
        place = entries[-1]["seq"] if entries else place
        if not entries and last_look:
            break
        last_look = not any(one.is_alive() for one in desks)
        time.sleep(dice.choice([0, 0, 0.02, 0.1]))
    for one in desks:
        one.join()
    with psycopg.connect(database) as looking:
        register: dict[int, str] = dict(looking.execute("SELECT number, status FROM reg.buildings").fetchall())
        events = looking.execute("SELECT count(*) FROM reg.building_events").fetchone()
    assert known == register
    assert len(register) == DESKS * HOUSES_EACH
    assert events == (place,)
