"""Findings wait for a registrar: nothing overwritten unseen, nothing lost, and no replay does anything twice."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gis import numbering
from gis.errors import (
    BadArgument,
    BadStructure,
    BuildingNotFound,
    DuplicateBuilding,
    FindingDecided,
    FindingNotFound,
    FindingOutdated,
    NotInThatState,
    NumberNotLeased,
    UuidTaken,
)
from gis.register import acts, buildings, conflicts, findings, history, leases, premises, sheds, surveys
from gis.register.acts import Act
from gis.register.buildings import Amendment
from gis.register.conflicts import Value
from gis.register.findings import Finding
from gis.register.leases import Wanted
from gis.register.premises import Site
from gis.register.structures import Structure
from gis.register.surveys import Decision, Receipt
from gis.store import session
from gis.terms import BuildingKind, DeclineReason, FindingKind, FindingStatus, Verb

COUNTY = 640106000000
TODAY = acts.today()
WANG = Decision("wang")
NEW, GONE, PLATE, STILL_THERE, SHAPE, ATTRIBUTE = FindingKind


def square(step: int, size: float = 0.0002) -> shapely.Polygon:
    """Return one of a row of squares that do not touch."""
    west, south = 106.2 + step * 0.001, 38.4
    return shapely.box(west, south, west + size, south + size)


def found(serial: int, kind: FindingKind, number: int | None = None, seq: int | None = None, **said: Any) -> Finding:  # noqa: ANN401 - Finding's own
    """Return a finding of today with a UUID of its own."""
    return Finding(uuid.UUID(int=serial), kind, TODAY, number, seq, **said)


def send(connection: Connection, *sent: Finding) -> list[Receipt]:
    return surveys.propose(connection, sent, "officer")


def refusal(connection: Connection, finding: Finding) -> Exception | None:
    return send(connection, finding)[0].refusal


def state(connection: Connection, number: int) -> Any:  # noqa: ANN401 - what is asked of it differs
    return history.find_versions(connection, number)[-1].state


def kept(connection: Connection) -> list[Any]:
    """Return every finding without the moment it came."""
    return list(
        connection.execute(text("SELECT to_jsonb(f) - 'received_at' FROM reg.findings f ORDER BY uuid")).scalars()
    )


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a registrar's session on an empty register."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        yield opened


@pytest.fixture
def house(connection: Connection) -> int:
    """Register a house of three floors; its event is the first."""
    done = buildings.register(connection, Structure(square(0), floors=3, standard_address="测试路1号"), Act("wang"))
    assert done.seq == 1
    return done.numbers[0]


A_HOUSE = 153273413646
"""Stands for the house that the test registers."""
WRONG: dict[str, tuple[str, Finding]] = {
    "a day to come": ("to come", replace(found(1, GONE, A_HOUSE, 0), seen_on=TODAY + dt.timedelta(days=1))),
    "no building": ("names its building", found(1, GONE, None, 0)),
    "no state it is based on": ("names its building", found(1, GONE, A_HOUSE)),
    "an event to come": ("no event 1000000", found(1, GONE, A_HOUSE, 10**6)),
    "an event beyond all counting": ("no event 1000000", found(1, GONE, A_HOUSE, 10**30)),
    "a number with wrong check digits": ("not a building number", found(1, GONE, 153273413647, 0)),
    "a number nobody has": ("no building has", found(1, GONE, int(numbering.issue(10**8, "residential")), 0)),
    "a shape where none belongs": ("no shape", found(1, GONE, A_HOUSE, 0, shape=square(0))),
    "a new structure without a shape": ("a shape", found(1, NEW)),
    "a new structure based on an event": ("based on no event", found(1, NEW, None, 1, shape=square(0))),
    "an empty shape": ("empty", found(1, NEW, shape=shapely.Polygon())),
    "a line": ("LineString", found(1, NEW, shape=shapely.LineString([(106, 38), (107, 38)]))),
    "a shape outside every boundary": ("outside every known", found(1, NEW, shape=shapely.Point(2, 48))),
    "nothing that is otherwise": ("nothing of what", found(1, ATTRIBUTE, A_HOUSE, 0)),
    "words of one's own": ("remark is nothing", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"remark": "…"})),
    "who lives there": ("residents is nothing", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"residents": 3})),
    "an attribute beside a missing plate": ("floors is nothing", found(1, PLATE, A_HOUSE, 0, attributes={"floors": 3})),
    "no floors": ("from 1 to 200", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"floors": 0})),
    "floors that are true": ("from 1 to 200", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"floors": True})),
    "floors as a text": ("from 1 to 200", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"floors": "3"})),
    "another kind": ("kind is one of", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"kind": "palace"})),
    "a kind that is a list": ("kind is one of", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"kind": ["residential"]})),
    "a day that is none": ("YYYY-MM-DD", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"expires_on": "2027-02-30"})),
    "an empty address": ("an address has words", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"standard_address": " "})),
    "an address too long": (
        "an address has words",
        found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"standard_address": "路" * 201}),
    ),
    "an address twice": (
        "given twice",
        found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"other_addresses": ["甲1号", "甲１号"]}),
    ),
    "an address with a NUL": (
        "an address has words",
        found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"standard_address": "甲\x001号"}),
    ),
    "addresses as a text": ("a list of", found(1, ATTRIBUTE, A_HOUSE, 0, attributes={"other_addresses": "甲1号"})),
    "premises beyond all counting": ("is a number", found(1, NEW, shape=square(0), attributes={"premises_id": 10**12})),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_finding_is_refused_in_one_sentence_and_keeps_no_other_out(
    connection: Connection, house: int, wrong: str
) -> None:
    why, finding = WRONG[wrong]
    finding = replace(finding, building_number=house) if finding.building_number == A_HOUSE else finding
    bad, good = send(connection, finding, found(2, PLATE, house, 1))
    assert bad.status is None
    assert why in str(bad.refusal)
    assert "\n" not in str(bad.refusal)
    assert (good.status, good.refusal) == ("open", None)
    assert len(kept(connection)) == 1


def test_sending_again_is_harmless_and_something_else_needs_another_uuid(connection: Connection, house: int) -> None:
    finding = found(1, ATTRIBUTE, house, 1, attributes={"floors": 4})
    assert [(each.status, each.repeated) for each in send(connection, finding, finding)] == [
        ("open", False),
        ("open", True),
    ]
    for other in (
        replace(finding, attributes={"floors": 5}),
        replace(finding, kind=PLATE, attributes={}),
        replace(finding, based_on_seq=0),
        replace(finding, seen_on=TODAY - dt.timedelta(days=1)),
    ):
        assert isinstance(refusal(connection, other), UuidTaken)
    surveys.accept(connection, finding.uuid, WANG)
    assert send(connection, finding) == [Receipt(finding.uuid, "accepted", repeated=True)]


def test_a_shape_is_kept_bit_for_bit_and_one_that_differs_in_the_last_bit_is_another(connection: Connection) -> None:
    shape = shapely.box(106.2, 38.4, 106.2 + 0.1 + 0.2 - 0.3 + 0.0002, 38.4002)
    assert refusal(connection, found(1, NEW, shape=shape)) is None
    moved = shapely.transform(shape, lambda places: places * (1 + 2**-52))
    assert isinstance(refusal(connection, found(1, NEW, shape=moved)), UuidTaken)
    value = conflicts.get_shown(connection, uuid.UUID(int=1)).values[0]
    assert value.found.equals_exact(shape, 0)


def test_a_new_structure_is_registered_when_it_is_accepted_and_once(connection: Connection) -> None:
    said = {"kind": "other_habitable", "floors": 2, "standard_address": "测试路9号", "other_addresses": ["园区9号"]}
    send(connection, found(1, NEW, shape=square(5), attributes=said))
    done = surveys.accept(connection, uuid.UUID(int=1), WANG)
    again = surveys.accept(connection, uuid.UUID(int=1), Decision("li"))
    assert (again.seq, again.repeated) == (done.seq, True)
    registered = state(connection, done.numbers[0])
    assert (registered.kind, registered.floors) == ("other_habitable", 2)
    assert registered.addresses == (("测试路9号", True), ("园区9号", False))
    event = history.find_events(connection, done.numbers[0])
    assert [(each.verb, each.actor) for each in event] == [("register", "wang")]


def test_what_stands_against_a_verb_stands_against_its_finding_which_stays_open(
    connection: Connection, house: int
) -> None:
    send(connection, found(1, NEW, shape=square(0)))
    with pytest.raises(DuplicateBuilding, match=str(house)), connection.begin_nested():
        surveys.accept(connection, uuid.UUID(int=1), WANG)
    assert conflicts.get_shown(connection, uuid.UUID(int=1)).row.status == "open"


@pytest.mark.parametrize(
    ("finding", "verb", "expected"),
    [
        (found(1, GONE, 0, 1), None, {"status": "demolished", "addresses": ()}),
        (found(1, GONE, 0, 1), Verb.RETIRE, {"status": "retired"}),
        (found(1, ATTRIBUTE, 0, 1, attributes={"floors": 4, "entrances": 2}), None, {"floors": 4, "entrances": 2}),
        (found(1, ATTRIBUTE, 0, 1, attributes={"floors": None}), None, {"floors": None}),
        (found(1, ATTRIBUTE, 0, 1, attributes={"floors": 5}), Verb.CHANGE, {"floors": 5}),
        (found(1, ATTRIBUTE, 0, 1, attributes={"standard_address": None}), None, {"addresses": ()}),
        (
            found(1, ATTRIBUTE, 0, 1, attributes={"standard_address": "新街1号"}),
            None,
            {"addresses": (("新街1号", True),)},
        ),
    ],
)
def test_an_accepted_finding_does_what_it_says(
    connection: Connection, house: int, finding: Finding, verb: Verb | None, expected: dict[str, Any]
) -> None:
    send(connection, replace(finding, building_number=house))
    done = surveys.accept(connection, finding.uuid, replace(WANG, verb=verb))
    known = state(connection, house)
    assert {name: getattr(known, name) for name in expected} == expected
    row = conflicts.get_shown(connection, finding.uuid).row
    assert (row.status, row.decided_by, row.seq) == ("accepted", "wang", done.seq)


def test_a_change_counts_from_the_day_it_was_seen_unless_the_registrar_knows_better(connection: Connection) -> None:
    day = TODAY - dt.timedelta(days=10)
    act = Act("wang", happened_on=dt.date(2020, 1, 1))
    numbers = [buildings.register(connection, Structure(square(step)), act).numbers[0] for step in range(2)]
    for serial, number in enumerate(numbers):
        send(connection, replace(found(serial, GONE, number, 2), seen_on=day))
    surveys.accept(connection, uuid.UUID(int=0), WANG)
    surveys.accept(connection, uuid.UUID(int=1), replace(WANG, happened_on=dt.date(2024, 5, 1)))
    since = [history.find_versions(connection, number)[-1].since for number in numbers]
    assert since == [day, dt.date(2024, 5, 1)]


def test_a_shape_drawn_anew_is_put_right(connection: Connection, house: int) -> None:
    send(connection, found(1, SHAPE, house, 1, shape=square(0, 0.0003)))
    surveys.accept(connection, uuid.UUID(int=1), WANG)
    assert shapely.from_wkb(bytes.fromhex(state(connection, house).geometry)).equals_exact(square(0, 0.0003), 0)


def test_a_missing_plate_is_accepted_without_an_event_or_a_verb(connection: Connection, house: int) -> None:
    send(connection, found(1, PLATE, house, 1), found(2, PLATE, house, 1))
    assert surveys.accept(connection, uuid.UUID(int=1), WANG).seq == 0
    assert len(history.find_events(connection, house)) == 1
    with pytest.raises(BadArgument, match="no verb"):
        surveys.accept(connection, uuid.UUID(int=2), replace(WANG, verb=Verb.RETIRE))


def test_a_shed_still_there_has_been_inspected_on_the_day_it_was_seen(connection: Connection, house: int) -> None:
    site = premises.register(connection, Site("测试工地", COUNTY), Act("wang")).premises_id
    terms = {"kind": BuildingKind.WORK_SHED, "premises_id": site, "expires_on": TODAY}
    shed = buildings.register(connection, Structure(square(1), **terms), Act("wang")).numbers[0]  # type: ignore[arg-type]
    day = TODAY - dt.timedelta(days=1)
    send(
        connection,
        *(
            replace(found(0, STILL_THERE, number, 2), uuid=uuid.UUID(int=at), seen_on=day)
            for at, number in enumerate((shed, house))
        ),
    )
    for _ in range(2):
        assert surveys.accept(connection, uuid.UUID(int=0), WANG).seq == 0
    inspections = sheds.find_inspections(connection, shed)
    assert [(each["found"], each["inspected_on"]) for each in inspections] == [("still_there", day)]
    with pytest.raises(BadStructure, match="stands for good"):
        surveys.accept(connection, uuid.UUID(int=1), WANG)


def test_a_plate_is_not_missing_from_what_no_longer_stands(connection: Connection, house: int) -> None:
    buildings.demolish(connection, house, Act("wang"))
    send(connection, found(1, PLATE, house, 2))
    with pytest.raises(NotInThatState):
        surveys.accept(connection, uuid.UUID(int=1), WANG)


def test_two_findings_about_one_attribute_are_both_kept_and_shown_beside_one_another(
    connection: Connection, house: int
) -> None:
    one, two = (found(serial, ATTRIBUTE, house, 1, attributes={"floors": 3 + serial}) for serial in (1, 2))
    other = found(3, ATTRIBUTE, house, 1, attributes={"entrances": 2})
    gone = found(4, GONE, house, 1)
    send(connection, one, two, other, gone)
    rivals = {
        shown.row.uuid.int: [rival.int for rival in shown.row.rivals]
        for shown in conflicts.find_shown(connection, [COUNTY])
    }
    assert rivals == {1: [2, 4], 2: [1, 4], 3: [4], 4: [1, 2, 3]}


def test_what_happened_meanwhile_is_shown_and_is_overwritten_only_by_who_has_seen_it(
    connection: Connection, house: int
) -> None:
    one, two = (found(serial, ATTRIBUTE, house, 1, attributes={"floors": 3 + serial}) for serial in (1, 2))
    send(connection, one, two)
    done = surveys.accept(connection, one.uuid, WANG)
    shown = conflicts.get_shown(connection, two.uuid)
    assert (shown.row.status, shown.outdated, shown.row.rivals) == ("open", True, [])
    assert shown.values == (Value("floors", 3, 4, 5),)
    assert shown.values[0].conflicts
    with pytest.raises(FindingOutdated, match=f"seen_seq {done.seq}"):
        surveys.accept(connection, two.uuid, WANG)
    assert state(connection, house).floors == 4
    surveys.accept(connection, two.uuid, replace(WANG, seen_seq=done.seq))
    assert state(connection, house).floors == 5


def test_what_happened_to_another_attribute_is_no_conflict_of_values_but_is_to_be_seen(
    connection: Connection, house: int
) -> None:
    buildings.correct(connection, house, Amendment({"entrances": 2}), Act("wang"))
    send(connection, found(1, ATTRIBUTE, house, 1, attributes={"floors": 4}))
    shown = conflicts.get_shown(connection, uuid.UUID(int=1))
    assert shown.outdated
    assert not shown.values[0].conflicts
    with pytest.raises(FindingOutdated):
        surveys.accept(connection, uuid.UUID(int=1), WANG)


def test_an_act_elsewhere_makes_no_finding_old(connection: Connection, house: int) -> None:
    buildings.register(connection, Structure(square(1)), Act("wang"))
    send(connection, found(1, ATTRIBUTE, house, 1, attributes={"floors": 4}))
    assert not conflicts.get_shown(connection, uuid.UUID(int=1)).outdated
    surveys.accept(connection, uuid.UUID(int=1), WANG)


def test_one_new_house_found_by_two_is_shown_as_such_and_registered_once(connection: Connection) -> None:
    send(
        connection,
        found(1, NEW, shape=square(0)),
        found(2, NEW, shape=square(0, 0.00021)),
        found(3, NEW, shape=square(2)),
    )
    rivals = [len(shown.row.rivals) for shown in conflicts.find_shown(connection, [COUNTY])]
    assert rivals == [1, 1, 0]
    surveys.accept(connection, uuid.UUID(int=1), WANG)
    with pytest.raises(DuplicateBuilding):
        surveys.accept(connection, uuid.UUID(int=2), WANG)


def test_a_declined_finding_stays_with_its_reason_and_is_decided_once(connection: Connection, house: int) -> None:
    send(connection, found(1, GONE, house, 1), found(2, GONE, house, 1))
    surveys.decline(connection, uuid.UUID(int=1), DeclineReason.NOT_SO, "wang")
    surveys.decline(connection, uuid.UUID(int=1), DeclineReason.NOT_SO, "li")
    row = conflicts.get_shown(connection, uuid.UUID(int=1)).row
    assert (row.status, row.decline_reason, row.decided_by) == ("declined", "not_so", "wang")
    for decide in (
        lambda: surveys.decline(connection, uuid.UUID(int=1), DeclineReason.UNCLEAR, "wang"),
        lambda: surveys.accept(connection, uuid.UUID(int=1), WANG),
    ):
        with pytest.raises(FindingDecided, match="declined by wang"):
            decide()
    surveys.accept(connection, uuid.UUID(int=2), WANG)
    with pytest.raises(FindingDecided, match="accepted"):
        surveys.decline(connection, uuid.UUID(int=2), DeclineReason.NOT_SO, "wang")


def test_nobody_decides_what_was_not_found(connection: Connection) -> None:
    for decide in (
        lambda: surveys.accept(connection, uuid.UUID(int=1), WANG),
        lambda: surveys.decline(connection, uuid.UUID(int=1), DeclineReason.NOT_SO, "wang"),
        lambda: conflicts.get_shown(connection, uuid.UUID(int=1)),
    ):
        with pytest.raises(FindingNotFound):
            decide()


def test_a_uuid_that_another_act_used_does_not_pass_for_acceptance(connection: Connection, house: int) -> None:
    send(connection, found(1, GONE, house, 2))
    send(connection, found(1, GONE, house, 1))
    buildings.register(connection, Structure(square(1)), Act("wang", client_uuid=uuid.UUID(int=1)))
    with pytest.raises(UuidTaken):
        surveys.accept(connection, uuid.UUID(int=1), WANG)


def test_findings_are_listed_by_division_by_status_and_page_by_page(connection: Connection, house: int) -> None:
    send(connection, *(found(serial, PLATE, house, 1) for serial in range(1, 6)))
    surveys.decline(connection, uuid.UUID(int=3), DeclineReason.NOT_SO, "wang")

    def serials(within: Sequence[int], **said: Any) -> list[int]:  # noqa: ANN401 - find_shown's own
        return [shown.row.uuid.int for shown in conflicts.find_shown(connection, within, **said)]

    assert serials([640000000000]) == [1, 2, 4, 5]
    assert serials([COUNTY], status=None) == [1, 2, 3, 4, 5]
    assert serials([COUNTY], status=FindingStatus.DECLINED) == [3]
    assert serials([640104000000]) == serials([]) == []
    assert serials([COUNTY], most=2) == [1, 2]
    assert serials([COUNTY], after=uuid.UUID(int=2), most=2) == [4, 5]


class TestNumbersTakenAlong:
    """A new structure may have got its number, and its plate, in the field."""

    @pytest.fixture
    def number(self, connection: Connection) -> int:
        wanted = Wanted(uuid.UUID(int=77), BuildingKind.RESIDENTIAL, COUNTY, 2, TODAY)
        return leases.lease(connection, wanted, "officer").numbers[0]

    def test_it_keeps_that_number_though_the_registrar_holds_no_lease(
        self, connection: Connection, number: int
    ) -> None:
        send(connection, found(1, NEW, number, shape=square(0)))
        leases.give_back(connection, uuid.UUID(int=77), "officer")  # what is found is not given back
        assert surveys.accept(connection, uuid.UUID(int=1), WANG).numbers == (number,)

    def test_a_number_of_somebody_else_of_another_kind_or_given_back_is_refused(
        self, connection: Connection, number: int
    ) -> None:
        finding = found(1, NEW, number, shape=square(0))
        refused = surveys.propose(connection, [finding], "another officer")[0].refusal
        assert isinstance(refused, NumberNotLeased)
        hut = replace(finding, attributes={"kind": "other_habitable"})
        assert isinstance(refusal(connection, hut), NumberNotLeased)
        leases.give_back(connection, uuid.UUID(int=77), "officer")
        assert isinstance(refusal(connection, finding), NumberNotLeased)

    def test_what_is_found_about_it_may_come_before_it_does(self, connection: Connection, number: int) -> None:
        plate, new = found(1, PLATE, number, 0), found(2, NEW, number, shape=square(0))
        assert refusal(connection, plate) is None
        with pytest.raises(BuildingNotFound):
            surveys.accept(connection, plate.uuid, WANG)
        send(connection, new)
        done = surveys.accept(connection, new.uuid, WANG)
        surveys.accept(connection, plate.uuid, replace(WANG, seen_seq=done.seq))

    def test_two_houses_with_one_number_are_both_kept_and_one_of_them_gets_it(
        self, connection: Connection, number: int
    ) -> None:
        send(connection, found(1, NEW, number, shape=square(0)), found(2, NEW, number, shape=square(2)))
        assert [len(shown.row.rivals) for shown in conflicts.find_shown(connection, [COUNTY])] == [1, 1]
        surveys.accept(connection, uuid.UUID(int=2), WANG)
        with pytest.raises(NumberNotLeased, match="already"):
            surveys.accept(connection, uuid.UUID(int=1), WANG)


POOL = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([GONE, PLATE, STILL_THERE]), st.integers(0, 2), st.just({})),
        st.tuples(
            st.just(ATTRIBUTE),
            st.integers(0, 2),
            st.dictionaries(st.sampled_from(["floors", "entrances"]), st.integers(0, 9), min_size=1),
        ),
        st.tuples(st.sampled_from([NEW, SHAPE]), st.integers(0, 2), st.just({})),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def row_of_houses(database: str) -> list[int]:
    """Register three houses for good."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        return [buildings.register(opened, Structure(square(step)), Act("wang")).numbers[0] for step in range(3)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pool=POOL, chance=st.data())
def test_any_order_and_any_replay_end_in_the_same_proposals(
    row_of_houses: list[int], pool: list[tuple[FindingKind, int, dict[str, int]]], chance: st.DataObject
) -> None:
    sent = [finding_of(serial, row_of_houses, *drawn) for serial, drawn in enumerate(pool)]
    replays = chance.draw(st.lists(st.sampled_from(sent), max_size=6))
    shuffled = chance.draw(st.permutations([*sent, *replays]))
    at = chance.draw(st.integers(0, len(shuffled)))
    assert after(sent) == after(shuffled[:at], shuffled[at:])


def finding_of(serial: int, numbers: list[int], kind: FindingKind, place: int, said: dict[str, int]) -> Finding:
    if kind is NEW:
        return found(serial, NEW, shape=square(10 + place))
    shape = square(place, 0.0003) if kind is SHAPE else None
    return found(serial, kind, numbers[place], place, shape=shape, attributes=said)


def after(*syncs: Sequence[Finding]) -> list[Any]:
    """Return what findings are kept after some syncs, and take them back."""
    with session.connect() as connection, connection.begin() as transaction:
        session.take_role(connection, "registrar")
        for sync in syncs:
            surveys.propose(connection, sync, "officer")
        proposals = kept(connection)
        transaction.rollback()
    return proposals


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_whatever_is_accepted_in_whatever_order_no_value_goes_unseen_and_each_acts_once(
    row_of_houses: list[int], order: list[tuple[int, bool]]
) -> None:
    house = row_of_houses[0]
    sent = [found(serial, ATTRIBUTE, house, 1, attributes={"floors": 10 + serial}) for serial in range(6)]
    with session.connect() as connection, connection.begin() as transaction:
        session.take_role(connection, "registrar")
        surveys.propose(connection, sent, "officer")
        accepted: list[int] = []
        for serial, looked in order:
            last = connection.execute(text("SELECT calc.last_seq_of(:number)"), {"number": house}).scalar_one()
            decision = replace(WANG, seen_seq=last if looked else None)
            if serial in accepted or looked or not accepted:
                done = surveys.accept(connection, uuid.UUID(int=serial), decision)
                assert done.repeated == (serial in accepted)
                accepted += [] if done.repeated else [serial]
            else:
                with pytest.raises(FindingOutdated):
                    surveys.accept(connection, uuid.UUID(int=serial), decision)
        assert state(connection, house).floors == (10 + accepted[-1] if accepted else None)
        assert len(history.find_events(connection, house)) == 1 + len(accepted)
        statuses = {row["uuid"][-1]: row["status"] for row in kept(connection)}
        assert {int(serial) for serial, status in statuses.items() if status == "accepted"} == {*accepted}
        transaction.rollback()


def test_two_tablets_that_send_the_same_at_once_in_other_orders_both_succeed(row_of_houses: list[int]) -> None:
    sent = [found(serial, PLATE, row_of_houses[serial % 3], 3) for serial in range(60)]

    def sync(turn: int) -> set[str | None]:
        with session.open("registrar", actor="officer") as opened:
            order = sent if turn % 2 else sent[::-1]
            return {receipt.status for receipt in surveys.propose(opened, order, "officer")}

    with ThreadPoolExecutor(6) as crowd:
        assert list(crowd.map(sync, range(6))) == [{"open"}] * 6
    with session.open("registrar") as looking:
        assert len(kept(looking)) == 60


def test_two_registrars_who_accept_the_same_at_once_act_once(row_of_houses: list[int]) -> None:
    with session.open("registrar", actor="officer") as opened:
        send(opened, found(1, GONE, row_of_houses[0], 3))

    def decide(_: int) -> bool:
        with session.open("registrar", actor="wang") as opened:
            return surveys.accept(opened, uuid.UUID(int=1), WANG).repeated

    with ThreadPoolExecutor(4) as crowd:
        assert sorted(crowd.map(decide, range(4))) == [False, True, True, True]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reg.findings",
        "TRUNCATE reg.findings",
        "UPDATE reg.findings SET seen_on = seen_on - 1",
        "UPDATE reg.findings SET geometry = 'SRID=4490;POINT(106 38)'",
        "UPDATE reg.findings SET decline_reason = 'unclear'",
        "UPDATE reg.findings SET status = 'open', decided_by = NULL, decided_at = NULL, decline_reason = NULL",
    ],
)
def test_the_database_itself_keeps_every_finding_and_its_decision(
    database: str, row_of_houses: list[int], statement: str
) -> None:
    with session.open("registrar", actor="wang") as opened:
        send(opened, found(1, GONE, row_of_houses[0], 3))
        surveys.decline(opened, uuid.UUID(int=1), DeclineReason.NOT_SO, "wang")
    with psycopg.connect(database) as owner, pytest.raises(psycopg.errors.IntegrityError):
        owner.execute(statement.encode())


def test_every_kind_of_finding_says_what_it_touches_and_how_it_is_accepted() -> None:
    assert surveys.VERBS.keys() == {*FindingKind}
    assert all(findings.touched(kind, {}) or kind is ATTRIBUTE for kind in FindingKind)
