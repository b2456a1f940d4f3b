"""What can go wrong, each with one clear sentence: the docstring is the message."""

from inspect import cleandoc
from typing import ClassVar


class MenpaiError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 400
    """The HTTP status the API answers with; the command line exits with 2."""

    def __init__(self, **facts: object) -> None:
        """Fill the sentence of the docstring with the facts of the case."""
        self.facts = facts
        super().__init__(cleandoc(type(self).__doc__ or "").format(**facts))


class FileNotReadable(MenpaiError):  # noqa: N818 - a name says what happened, not what it inherits
    """{path} cannot be read: {why}."""


class UnknownFormat(MenpaiError):  # noqa: N818
    """{path} has no known format; give one of {known}."""


class NoRoadsInFile(MenpaiError):  # noqa: N818
    """{path} holds no roads: {why}."""


class NoRoads(MenpaiError):  # noqa: N818
    """No roads {mode} are stored{where}; bring some in with "menpai import roads FILE"."""

    status = 404


class UnknownDivision(MenpaiError):  # noqa: N818
    """Division {code} is not known; give a code of 6, 9 or 12 digits from the list of divisions."""

    status = 404


class BuildingNotFound(MenpaiError):  # noqa: N818
    """No building has the number {number}."""

    status = 404


class RegisterBusy(MenpaiError):  # noqa: N818
    """The register is taken up by a large import; try again in half a minute."""

    status = 503


class BadStructure(MenpaiError):  # noqa: N818
    """This cannot be registered: {why}."""

    status = 422


class DuplicateBuilding(MenpaiError):  # noqa: N818
    """This structure is registered already: building {number}."""

    status = 409


class DoubtfulDuplicate(MenpaiError):  # noqa: N818
    """It may be building {number}, which it overlaps or nearly touches; if they are two, name it in distinct_from."""

    status = 409


class AddressTaken(MenpaiError):  # noqa: N818
    """Building {number} has the standard address {address}; end it there first."""

    status = 409


class ReferenceTaken(MenpaiError):  # noqa: N818
    """The code {code} of {source} belongs to building {number}."""

    status = 409


class ReferenceNotFound(MenpaiError):  # noqa: N818
    """No building has the code {code} of {source}."""

    status = 404


class RowNotQueued(MenpaiError):  # noqa: N818
    """Row {row} of batch {batch} does not wait for a person."""

    status = 404


class RosterRowUnfit(MenpaiError):  # noqa: N818
    """Row {row} of batch {batch} cannot be placed as it stands: {why}. It can be refused."""

    status = 409


class RowDecided(MenpaiError):  # noqa: N818
    """{who} has decided about this row already: {decision}."""

    status = 409


class NotInThatState(MenpaiError):  # noqa: N818
    """Building {number} is {status}, so it cannot {verb}; its history says what became of it."""

    status = 409


class OutOfOrder(MenpaiError):  # noqa: N818
    """{on} is before {since}, from when this building's last change counts; revert that first, or correct it."""

    status = 409


class NotSoThen(MenpaiError):  # noqa: N818
    """There was no such building on {on}."""

    status = 409


class CannotRevert(MenpaiError):  # noqa: N818
    """Event {seq} cannot be reverted: {why}."""

    status = 409


class PremisesNotFound(MenpaiError):  # noqa: N818
    """No premises have the number {premises_id}."""

    status = 404


class PremisesTaken(MenpaiError):  # noqa: N818
    """{name} is registered in this division already: premises {premises_id}."""

    status = 409


class PremisesClosed(MenpaiError):  # noqa: N818
    """{name} was closed on {closed_on}, so this cannot be; if it was not, correct that first."""

    status = 409


class EvidenceMissing(MenpaiError):  # noqa: N818
    """{what} rests on a paper: name it in source_document."""

    status = 422


class BeyondPermit(MenpaiError):  # noqa: N818
    """The permit of {name} ends on {permit_until}; nothing there is renewed beyond it until the permit is."""

    status = 409


class EventNotFound(MenpaiError):  # noqa: N818
    """There is no event {seq}."""

    status = 404


class BadFinding(MenpaiError):  # noqa: N818
    """This cannot be taken as a finding: {why}."""

    status = 422


class FindingNotFound(MenpaiError):  # noqa: N818
    """There is no finding {uuid}."""

    status = 404


class FindingDecided(MenpaiError):  # noqa: N818
    """Finding {uuid} was {status} by {actor}; that stays as it is."""

    status = 409


class FindingOutdated(MenpaiError):  # noqa: N818
    """Something happened to building {number} since this was found: look at both, and accept it with seen_seq {seq}."""

    status = 409


class UuidTaken(MenpaiError):  # noqa: N818
    """{uuid} was sent before and says something else; what is new needs a UUID of its own."""

    status = 409


class LeaseNotFound(MenpaiError):  # noqa: N818
    """There is no lease {uuid}."""

    status = 404


class NumberNotLeased(MenpaiError):  # noqa: N818
    """{number} cannot be given to this structure: {why}."""

    status = 409


class InvalidNumber(MenpaiError):  # noqa: N818  # noqa: N818
    """{number} is not a building number: its check digits do not fit."""

    status = 422


class DatabaseUnreachable(MenpaiError):  # noqa: N818
    """The database does not answer: {why}. Start it with "menpai up", or check MENPAI_DATABASE_URL."""

    status = 503


class DatabaseLacksRights(MenpaiError):  # noqa: N818
    """The database account lacks rights: {why}. "menpai doctor" prints the SQL an administrator must run."""

    status = 503


class NoRelease(MenpaiError):  # noqa: N818
    """There is no release of counts{which}; make one with "menpai release"."""

    status = 404


class ReleaseExists(MenpaiError):  # noqa: N818
    """There is a release of {day} already, made once so that no two can be compared; the next free day is {free}."""

    status = 409


class ReleaseTooNear(MenpaiError):  # noqa: N818
    """{day} is under {apart} days from the release of {near}: they could be compared; the next free day is {free}."""

    status = 409


class NotAllowed(MenpaiError):  # noqa: N818
    """{who} may not {what}."""

    status = 403


class NotSignedIn(MenpaiError):  # noqa: N818
    """Sign in first: POST /api/token gives a bearer."""

    status = 401


class PurposeMissing(MenpaiError):  # noqa: N818
    """This touches persons: name who acts and why with --as ACTOR --purpose PURPOSE (one of {known})."""

    status = 403


class BadArgument(MenpaiError):  # noqa: N818
    """{why}."""

    status = 422


class WrongPassword(MenpaiError):  # noqa: N818
    """Name or password is wrong."""

    status = 401


class TooManyAttempts(MenpaiError):  # noqa: N818
    """Too many wrong passwords: try again in {wait_s} seconds."""

    status = 429


class TooManyAtOnce(MenpaiError):  # noqa: N818
    """Too many are signing in at once: try again in {wait_s} seconds."""

    status = 429


class LinkSpent(MenpaiError):  # noqa: N818
    """This link was used before or is too old; "menpai account link NAME" makes a new one."""

    status = 401


class SecondFactorNeeded(MenpaiError):  # noqa: N818
    """This account signs in with a second factor: give the six digits of its authenticator, or a recovery code."""

    status = 401


class SecondFactorMissing(MenpaiError):  # noqa: N818
    """Account {who} has a role that needs a second factor, not shown in this session: set one up, or give a code."""

    status = 403


class ProveAgain(MenpaiError):  # noqa: N818
    """This needs a fresh proof of who you are: give your password, and your code where you have one, once more."""

    status = 403


class GrantRefused(MenpaiError):  # noqa: N818
    """Not granted: {why}."""

    status = 409


class NoSuchSession(MenpaiError):  # noqa: N818
    """There is no such session."""

    status = 404


class ProviderRefused(MenpaiError):  # noqa: N818
    """The sign-in at the provider led to no account here: {why}."""

    status = 401


class AccountNotFound(MenpaiError):  # noqa: N818
    """No account is named {name}."""

    status = 404


class KeysUnreadable(MenpaiError):  # noqa: N818
    """The keys cannot be used: {why}."""

    status = 503


class PersonErased(MenpaiError):  # noqa: N818
    """This record was erased: its key has been destroyed, and nothing can open it again."""

    status = 410


class EnvelopeBroken(MenpaiError):  # noqa: N818
    """A sealed record does not open with its own key: it was changed, moved to another row, or is not ours."""

    status = 500


class BadDeclaration(MenpaiError):  # noqa: N818
    """This cannot be taken as a declaration: {why}."""

    status = 422


class DeclarationNotFound(MenpaiError):  # noqa: N818
    """There is no such declaration in your divisions."""

    status = 404


class DeclarationDecided(MenpaiError):  # noqa: N818
    """This declaration was decided already: {status}."""

    status = 409


class DwellingGone(MenpaiError):  # noqa: N818
    """Nobody can be registered in {dwelling}: {why}."""

    status = 409


class ResidencyOverlaps(MenpaiError):  # noqa: N818
    """A principal residency of this person begins on {on} or later: ask for the dates; correct or end that first."""

    status = 409


class ResidencyNotFound(MenpaiError):  # noqa: N818
    """This person has no residency {where} in your divisions."""

    status = 404


class NothingOfYours(MenpaiError):  # noqa: N818
    """Nothing opens with this code and this document: compare both with the receipt; a desk gives a new one."""

    status = 404


class CountsNotReleased(MenpaiError):  # noqa: N818
    """Nothing is erased before its counts are safe: make a release of {day} or later first with "menpai release"."""

    status = 409


class RosterNotReadable(MenpaiError):  # noqa: N818
    """{path} cannot be read as a roster: {why}."""


class TableNotReadable(MenpaiError):  # noqa: N818
    """{path} cannot be read: {why}."""


class RosterDisturbed(MenpaiError):  # noqa: N818
    """Somebody was registered at a desk while this roster was being imported: import it again, and it goes on."""

    status = 409


class NoDemand(MenpaiError):  # noqa: N818
    """Nobody whom a {whom} serves is registered there in tens; load a roster, or take a larger division."""

    status = 404


class NoCandidates(MenpaiError):  # noqa: N818
    """There is no place to choose from ({kind}): junctions need imported roads, a file needs points."""

    status = 422


class PlanNotFound(MenpaiError):  # noqa: N818
    """There is no plan {id} in your divisions."""

    status = 404


class PlanEnded(MenpaiError):  # noqa: N818
    """Plan {id} has ended ({status}); it stays on record."""

    status = 409


class CalledOff(MenpaiError):  # noqa: N818
    """The plan was called off."""

    status = 409


class PlansSpent(MenpaiError):  # noqa: N818
    """{who} has asked for {most} plans today; more of them could be compared until they tell of single homes."""

    status = 429


class Infeasible(MenpaiError):  # noqa: N818
    """No plan does this: {why}."""

    status = 422

    @property
    def demand(self) -> list[int]:
        """The demand that is left over, by its numbers, sorted; empty where the sites alone are the trouble."""
        return [int(i) for i in self.facts["demand"]]  # type: ignore[attr-defined]


class NoFont(MenpaiError):  # noqa: N818
    """No Chinese font is here to letter a map with; type “sudo apt install fonts-wqy-microhei”, or draw .html."""


class AccessLogBroken(MenpaiError):  # noqa: N818
    """The access log is broken in {count} places, first: {why}."""

    status = 500


class BadHead(MenpaiError):  # noqa: N818
    """{path} is no head of an access log: {why}."""
