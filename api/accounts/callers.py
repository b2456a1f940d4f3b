"""Who asks: nobody in particular, or an account with the roles its session carries today."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from api.accounts.tokens import OpenedBy, Use, digest_of
from gis.errors import NotSignedIn, ProveAgain, SecondFactorMissing
from gis.store import session
from gis.terms import Role

CallerRole = Literal["public", "planner", "registrar"]
PROOF_LASTS = dt.timedelta(minutes=15)
"""For how long a proof of who one is stands for sensitive acts."""


@dataclass(frozen=True)
class Grant:
    """A role in a division."""

    role: Role
    division: str
    until: dt.date | None = None
    id: int = 0


@dataclass(frozen=True)
class SessionFacts:
    """What a session is, beside whose."""

    id: int
    use: Use
    opened_by: OpenedBy
    proven_at: dt.datetime
    second_factor_at: dt.datetime | None
    lacking: bool
    """Whether the account has roles that this session does not carry for want of a second factor."""


@dataclass(frozen=True)
class Caller:
    """Who asks: nobody in particular, or an account with the roles it has today."""

    name: str | None = None
    grants: tuple[Grant, ...] = ()
    expires_at: dt.datetime | None = None
    account: int | None = None
    session: SessionFacts | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is an account at all."""
        return self.name is not None

    def has(self, role: Role) -> bool:
        """Tell whether the caller has a role in some division."""
        return any(grant.role == role for grant in self.grants)

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the account has roles that wait for a second factor in this session."""
        return self.session is not None and self.session.lacking

    @property
    def database_role(self) -> CallerRole:
        """The role a session takes for the caller; whoever needs no more gets what everybody may read."""
        if self.has(Role.PLANNER):
            return "planner"
        return "registrar" if self.has(Role.REGISTRAR) else "public"

    def must_not_lack_factor(self) -> None:
        """Raise SecondFactorMissing where the account has roles that wait for a second factor."""
        if self.lacks_second_factor:
            raise SecondFactorMissing(who=self.name)

    def must_have_proven(self) -> SessionFacts:
        """Return the session where its holder proved lately who they are; raises NotSignedIn, ProveAgain.

        A token for programs never has: no program does what needs a person.
        """
        if self.session is None:
            raise NotSignedIn
        if self.session.use == "program" or dt.datetime.now(dt.UTC) - self.session.proven_at > PROOF_LASTS:
            raise ProveAgain
        return self.session


NOBODY = Caller()


def caller_of(token: str) -> Caller:
    """Return who holds a session; raises NotSignedIn where nobody does any more."""
    with session.open("accounts") as connection:
        row = connection.execute(text("SELECT * FROM calc.bearer_of(:digest)"), {"digest": digest_of(token)}).first()
        if row is not None and row.stale:
            connection.execute(
                text("UPDATE reg.account_tokens SET active_at = now() WHERE digest = :digest"),
                {"digest": digest_of(token)},
            )
    if row is None:
        raise NotSignedIn
    grants = tuple(
        Grant(Role(each["role"]), each["division"], each["until"] and dt.date.fromisoformat(each["until"]))
        for each in row.grants
    )
    facts = SessionFacts(row.token_id, row.use, row.opened_by, row.proven_at, row.second_factor_at, row.lacking)
    return Caller(row.name, grants, row.expires_at, row.account_id, facts)


def full_caller_of(token: str) -> Caller:
    """Return who holds a session that carries all of its account's roles; raises SecondFactorMissing, NotSignedIn."""
    who = caller_of(token)
    who.must_not_lack_factor()
    return who
