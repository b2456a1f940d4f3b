"""Any sequence of verbs: kinship has no circle, counts are conserved, numbers resolve, history can be trusted.

A model in plain Python keeps, for each building and each day, what it should be; a follower of the change feed keeps
what it was told. Both must always agree with the register.
"""

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from gis.errors import AddressTaken, CannotRevert, DoubtfulDuplicate, DuplicateBuilding, OutOfOrder
from gis.register import buildings, changes, history, versions
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.structures import Structure
from gis.store import session

START = dt.date(2026, 1, 1)
DAYS = 8
SLOTS = 4
IN_THE_WAY = (AddressTaken, DuplicateBuilding, DoubtfulDuplicate)
Life = tuple[tuple[str | None, int | None], ...]
"""For each day: status and number of floors; None before the building was."""


def slot(place: int, part: str = "whole") -> shapely.Polygon:
    """Return the ground of a slot: all of it or one of its halves."""
    west, south = 106.2 + place * 0.001, 38.4
    left, right = {"whole": (0, 2), "left": (0, 1), "right": (1, 2)}[part]
    return shapely.box(west + left * 0.0001, south, west + right * 0.0001, south + 0.0002)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


@dataclass
class Told:
    """What the model remembers of an event."""

    seq: int
    before: dict[int, Life | None]
    after: dict[int, Life]
    reverts: int | None = None


@dataclass
class Model:
    """What each building should be, day by day, and what happened."""

    lives: dict[int, Life] = field(default_factory=dict)
    events: list[Told] = field(default_factory=list)
    parents: set[tuple[int, int]] = field(default_factory=set)
    last_change: dict[int, list[int]] = field(default_factory=dict)

    def put(self, seq: int, after: dict[int, Life], reverts: int | None = None) -> None:
        """Take what an event did."""
        before = {number: self.lives.get(number) for number in after}
        self.lives.update(after)
        self.events.append(Told(seq, before, after, reverts))

    def active(self) -> list[int]:
        return [number for number, life in self.lives.items() if life[-1][0] == "active"]


def since(life: Life, first: int, status: str | None, floors: int | None = None) -> Life:
    """Return a life that is another from a day on; floors stay where none are given."""
    return tuple(
        (status or was[0], was[1] if floors is None else floors) if at >= first else was for at, was in enumerate(life)
    )


def flooded(life: Life, at: int, which: int, value: Any) -> Life:  # noqa: ANN401 - status or floors
    """Return a life in which a value is another wherever it was the same around a day."""
    wrong = life[at][which]
    first = last = at
    while first > 0 and life[first - 1][0] is not None and life[first - 1][which] == wrong:
        first -= 1
    while last + 1 < len(life) and life[last + 1][which] == wrong:
        last += 1
    return tuple(
        ((value, was[1]) if which == 0 else (was[0], value)) if first <= i <= last else was
        for i, was in enumerate(life)
    )


class Lives(RuleBasedStateMachine):
    """Drives every verb against an empty register, all in one transaction that is taken back at the end."""

    def __init__(self) -> None:
        """Begin with an empty register."""
        super().__init__()
        self.stack = ExitStack()
        self.connection = self.stack.enter_context(session.connect())
        self.transaction = self.connection.begin()
        session.take_role(self.connection, "registrar")
        self.model = Model()
        self.followed: dict[int, Any] = {}
        self.place = changes.find_head(self.connection)
        self.recorded: dict[int, dict[int, Any]] = {}

    def teardown(self) -> None:
        self.transaction.rollback()
        self.stack.close()

    def attempt(self, verb: Any, *arguments: Any) -> Done | None:  # noqa: ANN401
        """Do something that may be refused for what stands in the way."""
        savepoint = self.connection.begin_nested()
        try:
            done: Done = verb(self.connection, *arguments)
        except (*IN_THE_WAY, OutOfOrder):
            savepoint.rollback()
            return None
        savepoint.commit()
        return done

    def new_life(self, first: int, floors: int) -> Life:
        return tuple(("active", floors) if at >= first else (None, None) for at in range(DAYS))

    @initialize(floors=st.integers(1, 3))
    def begin(self, floors: int) -> None:
        for place in range(2):
            self.register(place, "whole", 0, floors)

    @rule(
        place=st.integers(0, SLOTS - 1),
        part=st.sampled_from(["whole", "left", "right"]),
        first=st.integers(0, 7),
        floors=st.integers(1, 3),
    )
    def register(self, place: int, part: str, first: int, floors: int) -> None:
        structure = Structure(slot(place, part), floors=floors, standard_address=f"测试路{place}号{part}")
        done = self.attempt(buildings.register, structure, Act("a", happened_on=day(first)))
        if done:
            self.model.put(done.seq, {done.numbers[0]: self.new_life(first, floors)})

    @precondition(lambda self: self.model.active())
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1), floors=st.integers(1, 4))
    def change(self, pick: int, on: int, floors: int) -> None:
        number = self.model.active()[pick % len(self.model.active())]
        life = self.model.lives[number]
        if life[-1][1] == floors:
            return
        done = self.attempt(buildings.change, number, Amendment({"floors": floors}), Act("a", happened_on=day(on)))
        last = max((i for i, (one, other) in enumerate(pairwise(((None, None), *life))) if one != other), default=0)
        assert (done is None) == (on < last)
        if done:
            self.model.put(done.seq, {number: since(life, on, None, floors)})

    @precondition(lambda self: self.model.lives)
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1), floors=st.integers(1, 4))
    def correct(self, pick: int, on: int, floors: int) -> None:
        number = sorted(self.model.lives)[pick % len(self.model.lives)]
        life = self.model.lives[number]
        if life[on][0] is None or life[on][1] == floors:
            return
        done = self.attempt(buildings.correct, number, Amendment({"floors": floors}), Act("a"), day(on))
        assert done
        self.model.put(done.seq, {number: flooded(life, on, 1, floors)})

    @precondition(lambda self: self.model.active())
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1), floors=st.integers(1, 3))
    def split(self, pick: int, on: int, floors: int) -> None:
        number = self.model.active()[pick % len(self.model.active())]
        shape = shapely.from_wkb(bytes.fromhex(history.find_versions(self.connection, number)[-1].state.geometry))
        west, south, east, north = shape.bounds
        middle = (west + east) / 2
        parts = [
            Structure(shapely.box(west, south, middle, north), floors=floors),
            Structure(shapely.box(middle, south, east, north), floors=floors),
        ]
        done = self.attempt(buildings.split, number, parts, Act("a", happened_on=day(on)))
        self._made(done, [number], on, floors)

    @precondition(lambda self: len(self.model.active()) > 1)
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1), floors=st.integers(1, 3))
    def merge(self, pick: int, on: int, floors: int) -> None:
        active = self.model.active()
        one, other = active[pick % len(active)], active[(pick + 1) % len(active)]
        shapes = [
            shapely.from_wkb(bytes.fromhex(history.find_versions(self.connection, number)[-1].state.geometry))
            for number in (one, other)
        ]
        whole = shapely.union_all(shapes)
        done = self.attempt(
            buildings.merge, [one, other], Structure(whole, floors=floors), Act("a", happened_on=day(on))
        )
        self._made(done, [one, other], on, floors)

    @precondition(lambda self: self.model.active())
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1), floors=st.integers(1, 3))
    def rebuild(self, pick: int, on: int, floors: int) -> None:
        number = self.model.active()[pick % len(self.model.active())]
        shape = shapely.from_wkb(bytes.fromhex(history.find_versions(self.connection, number)[-1].state.geometry))
        done = self.attempt(buildings.rebuild, number, Structure(shape, floors=floors), Act("a", happened_on=day(on)))
        self._made(done, [number], on, floors)

    def _made(self, done: Done | None, olds: list[int], on: int, floors: int) -> None:
        """Take what became of buildings that others came of."""
        if done is None:
            return
        after = {old: since(self.model.lives[old], on, "replaced") for old in olds}
        children = [number for number in done.numbers if number not in olds]
        after |= {child: self.new_life(on, floors) for child in children}
        self.model.parents |= {(old, child) for old in olds for child in children}
        self.model.put(done.seq, after)

    @precondition(lambda self: self.model.active())
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1))
    def demolish(self, pick: int, on: int) -> None:
        number = self.model.active()[pick % len(self.model.active())]
        done = self.attempt(buildings.demolish, number, Act("a", happened_on=day(on)))
        if done:
            self.model.put(done.seq, {number: since(self.model.lives[number], on, "demolished")})

    @precondition(lambda self: self.model.active())
    @rule(pick=st.integers(0))
    def retire(self, pick: int) -> None:
        number = self.model.active()[pick % len(self.model.active())]
        done = self.attempt(buildings.retire, number, Act("a"))
        assert done
        self.model.put(done.seq, {number: flooded(self.model.lives[number], DAYS - 1, 0, "retired")})

    @precondition(lambda self: any(life[-1][0] in {"demolished", "retired"} for life in self.model.lives.values()))
    @rule(pick=st.integers(0), on=st.integers(0, DAYS - 1))
    def reinstate(self, pick: int, on: int) -> None:
        gone = [number for number, life in self.model.lives.items() if life[-1][0] in {"demolished", "retired"}]
        number = gone[pick % len(gone)]
        life = self.model.lives[number]
        done = self.attempt(buildings.reinstate, number, Act("a", happened_on=day(on)))
        if done and life[-1][0] == "demolished":
            self.model.put(done.seq, {number: since(life, on, "active")})
        elif done:
            self.model.put(done.seq, {number: flooded(life, DAYS - 1, 0, "active")})

    @precondition(lambda self: self.model.events)
    @rule(pick=st.integers(0))
    def revert(self, pick: int) -> None:
        event = self.model.events[-1 - pick % min(len(self.model.events), 4)]
        later = [each for each in self.model.events if each.seq > event.seq and each.after.keys() & event.after.keys()]
        if later:
            with pytest.raises(CannotRevert):
                buildings.revert(self.connection, event.seq, Act("a"))
            return
        done = self.attempt(buildings.revert, event.seq, Act("a"))
        if done:
            after = {
                number: flooded(self.model.lives[number], DAYS - 1, 0, "retired") if before is None else before
                for number, before in event.before.items()
            }
            self.model.put(done.seq, after, event.seq)

    def _undone(self, seq: int) -> bool:
        """Tell whether the model thinks an event is taken back."""
        return any(each.reverts == seq and not self._undone(each.seq) for each in self.model.events)

    @invariant()
    def a_follower_of_the_feed_has_the_register(self) -> None:
        while entries := changes.find_changes(self.connection, self.place, 3):
            assert [entry["seq"] for entry in entries] == list(range(self.place + 1, self.place + 1 + len(entries)))
            for entry in entries:
                for building in entry["buildings"]:
                    self.followed[building["number"]] = building["versions"]
            self.place = entries[-1]["seq"]
        told = {number: tuple(_on(known, at) for at in range(DAYS)) for number, known in self.followed.items()}
        assert told == self.model.lives

    @invariant()
    def every_number_resolves_to_what_the_model_says_on_every_day(self) -> None:
        for number, life in self.model.lives.items():
            known = history.find_versions(self.connection, number)
            found = [versions.at(known, day(at)) for at in range(DAYS)]
            assert tuple((v.state.status, v.state.floors) if v else (None, None) for v in found) == life
            assert all(one.until == other.since for one, other in pairwise(known))

    @invariant()
    def what_was_recorded_earlier_still_reads_as_it_was(self) -> None:
        for number in self.model.lives:
            now = versions.load(self.connection, number)
            self.recorded.setdefault(self.place, {})[number] = [(v.since, v.until, v.state) for v in now]
        for seq in list(self.recorded)[-6:]:
            for number, then in self.recorded[seq].items():
                read = versions.load(self.connection, number, seq)
                assert [(v.since, v.until, v.state) for v in read] == then

    @invariant()
    def the_present_is_the_last_version(self) -> None:
        rows = self.connection.execute(
            text("SELECT number, status, floors, geometry::text, addresses, dwellings FROM calc.building_snapshots")
        ).all()
        assert {row.number for row in rows} == self.model.lives.keys()
        for row in rows:
            state = history.find_versions(self.connection, row.number)[-1].state
            assert (row.status, row.floors, row.geometry) == (state.status, state.floors, state.geometry)
            assert sorted(map(tuple, row.addresses)) == sorted(state.addresses)
            standing = [tuple(one) for one in row.dwellings if one[4] == "exists"]
            assert standing == [one for one in state.dwellings if one[4] == "exists"]

    @invariant()
    def no_two_active_buildings_share_more_than_half_of_the_smaller(self) -> None:
        shapes = [
            shapely.from_wkb(bytes.fromhex(history.find_versions(self.connection, number)[-1].state.geometry))
            for number in self.model.active()
        ]
        for i, one in enumerate(shapes):
            for other in shapes[:i]:
                assert one.intersection(other).area <= 0.5001 * min(one.area, other.area)

    @invariant()
    def kinship_has_no_circle_and_is_what_was_not_taken_back(self) -> None:
        held = {
            (parent, child)
            for event in self.model.events
            if not self._undone(event.seq)
            for child in event.after
            for parent in event.after
            if (parent, child) in self.model.parents and event.before[child] is None
        }
        rows = self.connection.execute(text("SELECT parent_number, child_number FROM calc.kinship")).all()
        assert {tuple(row) for row in rows} == held
        order = {
            number: at
            for at, event in enumerate(self.model.events)
            for number, before in event.before.items()
            if before is None
        }
        assert all(order[parent] < order[child] for parent, child in held)


def _on(known: list[dict[str, Any]], at: int) -> tuple[str | None, int | None]:
    """Return status and floors on a day by what the feed said."""
    wanted = day(at).isoformat()
    for version in known:
        if (version["since"] or "") <= wanted and (version["until"] is None or wanted < version["until"]):
            return version["status"], version["floors"]
    return None, None


@pytest.mark.long
def test_any_life_keeps_its_promises(database: str) -> None:
    assert database
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
