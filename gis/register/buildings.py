"""What can be done to a building: verbs, not updates.

Each is one act: one transaction, which the caller's session makes, and one event with who, why, on what paper and
when. Nothing is deleted. ``correct`` says the record was wrong, ``change`` that the world is another. What a
building was before stays on record (versions), and what came of it stays in its lineage.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from gis import numbering
from gis.errors import BadStructure, BuildingNotFound, CannotRevert, EventNotFound, NotInThatState
from gis.register import acts, divisions, leases, premises, present, structures, versions
from gis.register.acts import Act, Deed, Done
from gis.register.checking import LIMITS
from gis.register.dwellings import Dwellings
from gis.register.structures import Structure
from gis.register.versions import State, Versions
from gis.terms import BuildingKind, BuildingStatus, Verb

ACTIVE, DEMOLISHED, REPLACED, RETIRED = (status.value for status in BuildingStatus)
FEWEST_OF_A_SPLIT = FEWEST_OF_A_MERGER = 2
MOST_AT_ONCE = 100
"""Buildings of one split or merger."""
CORRECTABLE = ("kind", "division_code", "premises_id", "entrances", "floors", "rooms_per_floor", "expires_on")
"""Fields of a state that are given as they are; shape, addresses and dwellings have their own forms."""


@dataclass(frozen=True)
class Amendment:
    """What of a building is corrected or changed: fields not named stay."""

    fields: dict[str, Any]
    """Any of CORRECTABLE."""
    shape: BaseGeometry | None = None
    standard_address: str | None = None
    """The main address; the other addresses stay."""
    other_addresses: Sequence[str] | None = None
    """All of the other addresses."""
    dwellings: Callable[[Dwellings], Dwellings] | None = None
    """What becomes of today's dwellings: a function of ``gis.register.dwellings`` with its arguments."""
    references: Sequence[tuple[str, str]] = ()
    distinct_from: Collection[int] = ()


def register(connection: Connection, structure: Structure, act: Act, *, leased: int | None = None) -> Done:
    """Give a structure its permanent number, or raise what stands against it.

    ``leased`` is a number a tablet took along (``gis.register.leases``). Raises BadStructure, UnknownDivision,
    DuplicateBuilding, DoubtfulDuplicate, AddressTaken, ReferenceTaken, NumberNotLeased, RegisterBusy, BadArgument.
    """
    state = structures.describe(connection, structure)
    repeated = acts.begin(connection, act, Verb.REGISTER)
    if repeated:
        return repeated
    structures.check_free(connection, structure, state)
    if leased is not None:
        leases.check_number(connection, leased, _numbered_as(structure, state), act)
    deed = acts.start(connection, Verb.REGISTER, act)
    return deed.record([_make(deed, state, structure, leased)])


def correct(connection: Connection, number: int, amendment: Amendment, act: Act, on: dt.date | None = None) -> Done:
    """Put the record of a building right: it had been wrong for as long as it said the same around ``on``, or today.

    Raises as ``register`` does, BuildingNotFound, NotSoThen for a day before the building was, and where it is to
    stand for longer EvidenceMissing, PremisesClosed, BeyondPermit.
    """
    repeated = acts.begin(connection, act, Verb.CORRECT, [number])
    if repeated:
        return repeated
    before = _known(connection, number)
    patch = _patch(connection, number, before, amendment, versions.standing(before, on))
    premises.check_term(connection, before[-1].state, patch, act)  # or a correction would be a way round a renewal
    after = versions.corrected(before, patch, on)
    _check_difference(before, after, amendment)
    deed = acts.start(connection, Verb.CORRECT, act, puts_right=True)
    return _amend(deed, number, (before, after), amendment.references)


def change(connection: Connection, number: int, amendment: Amendment, act: Act) -> Done:
    """Record that an active building changed on the act's day (today where it says none).

    Raises as ``correct`` does, NotInThatState, and OutOfOrder for a day before its last change.
    """
    repeated = acts.begin(connection, act, Verb.CHANGE, [number])
    if repeated:
        return repeated
    before = _standing(connection, number, "be changed")
    patch = _patch(connection, number, before, amendment, before[-1].state)
    premises.check_term(connection, before[-1].state, patch, act)
    after = versions.changed(before, patch, act.happened_on or acts.today())
    _check_difference(before, after, amendment)
    return _amend(acts.start(connection, Verb.CHANGE, act), number, (before, after), amendment.references)


def split(connection: Connection, number: int, parts: Sequence[Structure], act: Act) -> Done:
    """Put several new buildings in one's place, each with a number of its own and the old one as its parent."""
    if not FEWEST_OF_A_SPLIT <= len(parts) <= MOST_AT_ONCE:
        raise BadStructure(why=f"a building is split into {FEWEST_OF_A_SPLIT} to {MOST_AT_ONCE}")
    return _replace(connection, [number], parts, act, Verb.SPLIT)


def merge(connection: Connection, numbers: Sequence[int], whole: Structure, act: Act) -> Done:
    """Put one new building in the place of several."""
    if not FEWEST_OF_A_MERGER <= len(set(numbers)) <= MOST_AT_ONCE:
        raise BadStructure(why=f"{FEWEST_OF_A_MERGER} to {MOST_AT_ONCE} buildings are merged into one")
    return _replace(connection, list(dict.fromkeys(numbers)), [whole], act, Verb.MERGE)


def rebuild(connection: Connection, number: int, structure: Structure, act: Act) -> Done:
    """Put a new building, with a new number, in the place of one that stands or was demolished."""
    return _replace(connection, [number], [structure], act, Verb.REBUILD, (ACTIVE, DEMOLISHED))


def move(connection: Connection, number: int, structure: Structure, act: Act) -> Done:
    """Put up a work shed elsewhere: there it is a new building with the old one as its parent."""
    if structure.kind is not BuildingKind.WORK_SHED:
        raise BadStructure(why="only a work shed is moved; any other building is demolished and another registered")
    return _replace(connection, [number], [structure], act, Verb.MOVE)


def demolish(connection: Connection, number: int, act: Act) -> Done:
    """Record that an active building was taken down on the act's day (today where it says none)."""
    repeated = acts.begin(connection, act, Verb.DEMOLISH, [number])
    if repeated:
        return repeated
    before = _standing(connection, number, "be demolished")
    after = versions.changed(before, {"status": DEMOLISHED, "addresses": ()}, act.happened_on or acts.today())
    return _amend(acts.start(connection, Verb.DEMOLISH, act), number, (before, after))


def retire(connection: Connection, number: int, act: Act) -> Done:
    """Record that a building never was a residential one; its number stays used."""
    repeated = acts.begin(connection, act, Verb.RETIRE, [number])
    if repeated:
        return repeated
    before = _standing(connection, number, "be retired")
    after = versions.corrected(before, {"status": RETIRED, "addresses": ()})
    return _amend(acts.start(connection, Verb.RETIRE, act, puts_right=True), number, (before, after))


def reinstate(connection: Connection, number: int, act: Act, distinct_from: Collection[int] = ()) -> Done:
    """Take a demolished or retired building back into use, with the addresses it had, if ground and addresses are free.

    One that was split, merged or rebuilt comes back only by reverting that.
    """
    repeated = acts.begin(connection, act, Verb.REINSTATE, [number])
    if repeated:
        return repeated
    before = _known(connection, number)
    last = before[-1].state
    if last.status not in {DEMOLISHED, RETIRED}:
        raise NotInThatState(number=number, status=last.status, verb="be reinstated")
    patch: dict[str, Any] = {"status": ACTIVE, "addresses": versions.find_last_addresses(connection, number, before)}
    _check_room(connection, number, replace(last, **patch), distinct_from)
    never_was = last.status == RETIRED
    after = (
        versions.corrected(before, patch)
        if never_was
        else versions.changed(before, patch, act.happened_on or acts.today())
    )
    deed = acts.start(connection, Verb.REINSTATE, act, puts_right=never_was)
    return _amend(deed, number, (before, after))


def revert(connection: Connection, seq: int, act: Act, distinct_from: Collection[int] = ()) -> Done:
    """Take an event back: every building it touched is exactly what it was before, and those it made are retired.

    Only the last event of all its buildings can be: others rest on it. Raises EventNotFound, CannotRevert, and
    what stands against a building's return (DuplicateBuilding, DoubtfulDuplicate, AddressTaken).
    """
    repeated = acts.begin(connection, act, Verb.REVERT)
    if repeated:
        return repeated
    event = acts.find_event(connection, seq)
    if event is None:
        raise EventNotFound(seq=seq)
    if event.building_numbers is None:
        raise CannotRevert(seq=seq, why="it is an import; retire the buildings that should not be there")
    _check_last(connection, seq, event.building_numbers)
    restored = {number: versions.reverse(connection, number, seq) for number in event.building_numbers}
    deed = acts.start(connection, Verb.REVERT, act, puts_right=True)
    # what leaves goes first: its ground and its addresses are wanted
    for number, (before, after) in sorted(restored.items(), key=_comes_back):
        then = after or versions.corrected(before, {"status": RETIRED, "addresses": ()})
        if then[-1].state.status == ACTIVE and before[-1].state.status != ACTIVE:
            _check_room(connection, number, then[-1].state, distinct_from)
        _write(deed, number, before, then)
    return deed.record(event.building_numbers, reverts_seq=seq)


def find_touched(connection: Connection, seq: int) -> list[int]:
    """Return the buildings an event touched; none where there is no such event, and for an import."""
    event = acts.find_event(connection, seq)
    return [] if event is None or event.building_numbers is None else list(event.building_numbers)


def _comes_back(restored: tuple[int, tuple[Versions, Versions]]) -> tuple[bool, int]:
    """Return a key that sorts buildings that return to life behind those that leave it."""
    number, (before, after) = restored
    return bool(after) and after[-1].state.status == ACTIVE and before[-1].state.status != ACTIVE, number


def _check_last(connection: Connection, seq: int, numbers: Sequence[int]) -> None:
    """Raise CannotRevert where something happened to one of the buildings since."""
    later = connection.execute(
        text("SELECT max(seq) FROM reg.building_events WHERE building_numbers && CAST(:numbers AS bigint[])"),
        {"numbers": list(numbers)},
    ).scalar_one()
    if later != seq:
        raise CannotRevert(seq=seq, why=f"event {later} came after it; revert that first")


def _replace(  # noqa: PLR0913, PLR0917 - the verbs above are its callers
    connection: Connection,
    olds: Sequence[int],
    news: Sequence[Structure],
    act: Act,
    verb: Verb,
    allowed: tuple[str, ...] = (ACTIVE,),
) -> Done:
    """End some buildings and make others of them."""
    states = [structures.describe(connection, structure) for structure in news]
    structures.check_apart(news)
    repeated = acts.begin(connection, act, verb, olds)
    if repeated:
        return repeated
    before = {number: _standing(connection, number, f"be the origin of a {verb.value}", allowed) for number in olds}
    for structure, state in zip(news, states, strict=True):
        structures.check_free(connection, structure, state, giving_way=olds)
    day = act.happened_on or acts.today()
    after = {
        number: versions.changed(known, {"status": REPLACED, "addresses": ()}, day) for number, known in before.items()
    }
    deed = acts.start(connection, verb, replace(act, happened_on=day))
    for number, known in before.items():
        _write(deed, number, known, after[number])
    made = [_make(deed, state, structure) for structure, state in zip(news, states, strict=True)]
    pairs = [{"parent": parent, "child": child, "seq": deed.seq} for parent in olds for child in made]
    connection.execute(KIN, pairs)
    return deed.record([*olds, *made])


KIN = text("INSERT INTO reg.building_lineage (parent_number, child_number, seq) VALUES (:parent, :child, :seq)")


def _make(deed: Deed, state: State, structure: Structure, leased: int | None = None) -> int:
    """Write a new building and return its number."""
    number = leased or int(acts.mint(deed.connection, [_numbered_as(structure, state)])[0])
    present.insert(deed, number, state)
    present.add_references(deed, number, structure.references)
    return number


def _numbered_as(structure: Structure, state: State) -> str:
    """Return the kind that a new building's number shows: its own, or that of trials and fiction."""
    trial = structure.invented or state.division_code == divisions.TEST_DIVISION
    return numbering.TEST if trial else state.kind


def _amend(deed: Deed, number: int, known: tuple[Versions, Versions], codes: Sequence[tuple[str, str]] = ()) -> Done:
    """Write what became of one building, from its versions before to those after, and record it."""
    _write(deed, number, *known)
    present.add_references(deed, number, codes)
    return deed.record([number])


def _write(deed: Deed, number: int, before: Versions, after: Versions) -> None:
    """Put other versions in the place of a building's, and the last of them into the present."""
    versions.save(deed.connection, number, before, after, deed.seq)
    present.update(deed, number, before[-1].state, after[-1].state)


def _check_difference(before: Versions, after: Versions, amendment: Amendment) -> None:
    """Raise BadStructure where an amendment says what is registered already."""
    if before == after and not amendment.references:
        raise BadStructure(why="nothing is different from what is registered")


def _known(connection: Connection, number: int) -> Versions:
    """Return the versions of a building; raises BuildingNotFound."""
    known = versions.load(connection, number)
    if not known:
        raise BuildingNotFound(number=number)
    return known


def _standing(connection: Connection, number: int, verb: str, allowed: tuple[str, ...] = (ACTIVE,)) -> Versions:
    """Return the versions of a building in a state that lets it; raises NotInThatState."""
    known = _known(connection, number)
    status = known[-1].state.status
    if status not in allowed:
        raise NotInThatState(number=number, status=status, verb=verb)
    return known


def _patch(
    connection: Connection, number: int, known: Versions, amendment: Amendment, amended: State
) -> dict[str, Any]:
    """Return the fields that an amendment of one state of a building sets, checked; raises as ``register`` does."""
    patch = _fields(connection, amendment.fields)
    if amendment.shape is not None:
        structures.check_shape(amendment.shape)
        if known[-1].state.status == ACTIVE:
            structures.check_ground(connection, amendment.shape, [number], amendment.distinct_from)
        patch["geometry"] = structures.hexed(amendment.shape)
        patch |= _place(connection, amendment.shape, amendment, amended)
    if amendment.standard_address is not None or amendment.other_addresses is not None:
        patch["addresses"] = _addresses(number, amended, amendment)
    if amendment.dwellings is not None:
        patch["dwellings"] = _dwellings(connection, number, amended.dwellings, amendment.dwellings)
    if "kind" in patch:
        patch["kind_assumed"] = False  # somebody has looked
    if not patch and not amendment.references:
        raise BadStructure(why="nothing is said about what is different")
    return patch


def _fields(connection: Connection, fields: dict[str, Any]) -> dict[str, Any]:
    """Return plain fields that were checked; raises BadStructure, UnknownDivision."""
    for name, value in fields.items():
        if name not in CORRECTABLE:
            raise BadStructure(why=f"{name} cannot be set; one of {', '.join(CORRECTABLE)} can")
        most = LIMITS.get(name)
        if most is not None and value is not None and not 1 <= value <= most:
            raise BadStructure(why=f"{name} is from 1 to {most}")
    if "kind" in fields and fields["kind"] not in set(BuildingKind):
        raise BadStructure(why=f"kind is one of {', '.join(BuildingKind)}")
    if "division_code" in fields:
        divisions.find_name(connection, fields["division_code"])
        return fields | {"place_assumed": True}
    return dict(fields)


def _place(connection: Connection, shape: BaseGeometry, amendment: Amendment, last: State) -> dict[str, Any]:
    """Return the division of another shape where it lies in another county; otherwise what is known is finer.

    Raises BadStructure for a shape that lies in another county than the one stated with it.
    """
    stated = amendment.fields.get("division_code")
    given = (last.division_code if last.place_assumed else None) if stated is None else stated
    main = amendment.standard_address or next((address for address, is_main in last.addresses if is_main), None)
    division, assumed = structures.locate(connection, shape, given, main)
    if stated is not None and division // 1_000_000 != stated // 1_000_000:
        raise BadStructure(why=f"it lies in {divisions.find_name(connection, division)}, not in the division stated")
    if stated is not None or division // 1_000_000 == last.division_code // 1_000_000:
        return {}
    return {"division_code": division, "place_assumed": assumed}


def _addresses(number: int, last: State, amendment: Amendment) -> tuple[versions.AddressFact, ...]:
    """Return the addresses after an amendment, whoever has them now; raises BadStructure, NotInThatState."""
    if last.status != ACTIVE:
        raise NotInThatState(number=number, status=last.status, verb="have an address")
    main = next((address for address, is_main in last.addresses if is_main), None)
    others = [address for address, is_main in last.addresses if not is_main]
    return structures.address_facts(
        main if amendment.standard_address is None else amendment.standard_address,
        others if amendment.other_addresses is None else amendment.other_addresses,
    )


def _dwellings(
    connection: Connection, number: int, known: Dwellings, become: Callable[[Dwellings], Dwellings]
) -> Dwellings:
    """Return amended dwellings, new ones numbered on from every one there ever was: no number means two homes."""
    last = max(dwelling[0] for dwelling in known)
    ever = versions.find_last_dwelling(connection, number)
    return tuple((one[0] if one[0] <= last else one[0] + ever - last, *one[1:]) for one in become(known))


def _check_room(connection: Connection, number: int, state: State, distinct_from: Collection[int]) -> None:
    """Raise what stands against a building's return: another on its ground, or with its address."""
    shape = shapely.from_wkb(bytes.fromhex(state.geometry))
    structures.check_ground(connection, shape, [number], distinct_from)
    structures.check_addresses(connection, state.addresses, [number])
