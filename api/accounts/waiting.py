"""Makes whoever guesses passwords wait: counted in the database, so that several workers agree.

Three counts stand for every attempt: the account from this source, the account from everywhere, and
the source at every account. The count of an account from everywhere spares a source from which its
holder signed in during the last thirty days: whoever guesses at a distance slows the guessing down
and does not lock the right person out. Every wait ends by itself, after a quarter of an hour at most.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gis.errors import TooManyAttempts
from gis.store import session

LONGEST_WAIT_S = 900
KNOWN_FOR_DAYS = 30
IPV6_SITE_BITS = 64


@dataclass(frozen=True)
class Rule:
    """How many failures are free, and after how long without one they are forgotten."""

    free: int
    forgotten_after_s: int


ACCOUNT_FROM_SOURCE = Rule(free=5, forgotten_after_s=86_400)
ACCOUNT = Rule(free=20, forgotten_after_s=86_400)
SOURCE = Rule(free=60, forgotten_after_s=3_600)


@dataclass(frozen=True)
class Attempt:
    """Who tries to get in from where, as the three hashes that are counted; no name and no address is kept."""

    account_from_source: bytes
    account: bytes
    source: bytes

    @classmethod
    def of(cls, name: str, address: str) -> "Attempt":
        """Return an attempt; addresses of IPv6 count by their network, of which anybody has 2^64 addresses."""
        place = _site(address)
        return cls(_hash("both", name, place), _hash("account", name), _hash("source", place))

    def rules(self) -> list[tuple[bytes, Rule]]:
        """Return each hash with its rule, in the order in which rows are locked."""
        return sorted(
            [(self.account_from_source, ACCOUNT_FROM_SOURCE), (self.account, ACCOUNT), (self.source, SOURCE)],
            key=lambda each: each[0],
        )


def begin(attempt: Attempt) -> None:
    """Count an attempt as a failure before it is made, so that a crowd of guesses at once is no way round.

    An attempt that has to wait is not counted. Raises TooManyAttempts; ``succeeded`` takes the count back.
    """
    with session.open("accounts") as connection:
        connection.execute(
            text("DELETE FROM reg.account_attempts WHERE failed_at < now() - make_interval(days => :days)"),
            {"days": KNOWN_FOR_DAYS},
        )
        known = _is_known(connection, attempt.account_from_source)
        for digest, rule in attempt.rules():
            wait_s = _count(connection, digest, rule)
            if wait_s > 0 and not (known and digest == attempt.account):
                raise TooManyAttempts(wait_s=int(wait_s) + 1)


def succeeded(attempt: Attempt) -> None:
    """Take back what ``begin`` counted, and know the source of the account from now on."""
    with session.open("accounts") as connection:
        connection.execute(
            text(
                "UPDATE reg.account_attempts SET failures = CASE WHEN digest = :both THEN 0"
                " ELSE greatest(failures - 1, 0) END,"
                " succeeded_at = CASE WHEN digest = :both THEN now() ELSE succeeded_at END"
                " WHERE digest IN (SELECT digest FROM reg.account_attempts"
                " WHERE digest IN (:both, :account, :source) ORDER BY digest FOR UPDATE)"
            ),
            {"both": attempt.account_from_source, "account": attempt.account, "source": attempt.source},
        )


def undone(attempt: Attempt) -> None:
    """Take back what ``begin`` counted of an attempt that was neither right nor wrong."""
    with session.open("accounts") as connection:
        connection.execute(
            text(
                "UPDATE reg.account_attempts SET failures = greatest(failures - 1, 0)"
                " WHERE digest IN (SELECT digest FROM reg.account_attempts"
                " WHERE digest IN (:both, :account, :source) ORDER BY digest FOR UPDATE)"
            ),
            {"both": attempt.account_from_source, "account": attempt.account, "source": attempt.source},
        )


def wait_after(failures: int, free: int) -> int:
    """Return the seconds to wait after so many failures: none, then 1, 2, 4 … up to LONGEST_WAIT_S."""
    over = failures - free
    return 0 if over < 0 else min(2 ** min(over, 20), LONGEST_WAIT_S)


def _count(connection: Connection, digest: bytes, rule: Rule) -> float:
    """Add a failure to a count, whose row is locked from here on; return the seconds still to wait before it."""
    connection.execute(
        text("INSERT INTO reg.account_attempts (digest) VALUES (:digest) ON CONFLICT (digest) DO NOTHING"),
        {"digest": digest},
    )
    row = connection.execute(
        text(
            "SELECT failures, extract(epoch FROM clock_timestamp() - failed_at)::float8 AS since_s"
            " FROM reg.account_attempts WHERE digest = :digest FOR UPDATE"
        ),
        {"digest": digest},
    ).one()
    so_far = 0 if row.since_s > rule.forgotten_after_s else row.failures
    connection.execute(
        text(
            "UPDATE reg.account_attempts SET failures = :failures, failed_at = clock_timestamp() WHERE digest = :digest"
        ),
        {"failures": so_far + 1, "digest": digest},
    )
    return float(wait_after(so_far, rule.free) - row.since_s)


def _is_known(connection: Connection, account_from_source: bytes) -> bool:
    """Tell whether an account's holder signed in from a source lately."""
    return bool(
        connection.execute(
            text(
                "SELECT EXISTS (SELECT FROM reg.account_attempts WHERE digest = :digest"
                " AND succeeded_at > now() - make_interval(days => :days))"
            ),
            {"digest": account_from_source, "days": KNOWN_FOR_DAYS},
        ).scalar_one()
    )


def _site(address: str) -> str:
    """Return the network an address counts for."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    bits = IPV6_SITE_BITS if parsed.version == 6 else parsed.max_prefixlen  # noqa: PLR2004 - IP's own number
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def _hash(*parts: str) -> bytes:
    """Return what is counted in place of a name or an address."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
