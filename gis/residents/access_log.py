"""The access log's seal: a hash chain over access records, in the order of their transactions, with signed heads.

Records are written by whoever opens a person, in that transaction; they are sealed later, some at a time, once every
transaction before theirs is over, so that nobody waits for the chain. All hashes are SHA-256::

    person_leaf = H("menpai access person 1" 0x00 salt person_id)      16 random bytes, 8 bytes big-endian
    leaf        = H("menpai access record 1" 0x00 record)              record: a compact JSON array, see ``_leaf``
    running     = H("menpai access chain 1" 0x00 running_before leaf)  before the first: 32 zero bytes

A person is erased from a record with their salt: person_leaf stays, so everything else in it is still held. Whoever
has a head (position and running hash) from before can tell whether anything up to it was changed, dropped, added or
moved since, even by the database's owner. What came after the newest head outside is held by nothing.
"""

import datetime as dt
import hashlib
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, text

from gis.errors import NotAllowed
from gis.store import session

SEAL_LOCK: Final = 0x6D70_0008
START: Final = bytes(32)
_AT_ONCE: Final = 5_000
_TOLD: Final = 10


@dataclass(frozen=True)
class Head:
    """How far the log was sealed at a moment; hashes, key and signature in hexadecimal."""

    position: int
    hash: str
    at: str
    waiting: int
    erased: int
    epoch: int
    bound: int
    key: str
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """Return what the signature is over: the other fields as JSON, keys sorted, no spaces."""
        said = asdict(self)
        del said["signature"]
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    def is_signed(self) -> bool:
        """Tell whether the signature is that of the key the head names (Ed25519, RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key)).verify(
                bytes.fromhex(self.signature), self.signed_bytes()
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def written(self) -> bytes:
        """Return the head as a file."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Return the head of a file; raises ValueError where it is none, or is not signed by the key it names."""
        found = orjson.loads(content)
        kinds = {name: type(value) for name, value in asdict(cls(0, "", "", 0, 0, 0, 0, "")).items()}
        if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != kinds:
            message = "it has not the fields of a head"
            raise ValueError(message)
        head = cls(**found)
        if not head.is_signed():
            message = "its signature does not fit"
            raise ValueError(message)
        return head


@dataclass
class Findings:
    """What a check found."""

    positions: int = 0
    """Records in the chain."""
    after: int = 0
    """Of these, how many came after the outside head; all of them without one."""
    unsealed: int = 0
    erased: int = 0
    """Records that no longer say whom they were about."""
    faults: list[str] = field(default_factory=list)
    """The first few, in words."""
    count: int = 0

    def fault(self, why: str) -> None:
        """Note that something is wrong."""
        self.count += 1
        if self.count <= _TOLD:
            self.faults.append(why)


def lock(connection: Connection) -> None:
    """Keep others from sealing, checking or erasing until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEAL_LOCK})


def seal(signer: Ed25519PrivateKey) -> Head:
    """Seal every record whose turn has come and return the signed head, which is committed by then.

    Records of transactions that began after one still under way wait; the head says how many are there to see.
    """
    with session.open("sealer") as connection:
        lock(connection)
        epoch, bound = connection.execute(text(_NOW)).one()
        last = connection.execute(
            text("SELECT epoch, bound::text FROM reg.access_heads ORDER BY id DESC LIMIT 1")
        ).first()
        # after a restore into another server, look at every record; else at those since the last head
        query = _SINCE if last is not None and last.epoch == epoch else _ALL
        since = {"epoch": epoch, "bound": bound, "since": last.bound if last else "0", "many": _AT_ONCE}
        position, running = _end(connection)
        while rows := connection.execute(text(query), since).all():
            position, running = _append(connection, rows, position, running)
        waiting = connection.execute(text(_WAITING), since).scalar_one()
        erased = connection.execute(text(_ERASED)).scalar_one()
        head = Head(
            position,
            running.hex(),
            dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
            waiting,
            erased,
            epoch,
            int(bound),
            signer.public_key().public_bytes_raw().hex(),
        )
        head = Head(**asdict(head) | {"signature": signer.sign(head.signed_bytes()).hex()})
        connection.execute(text(_KEEP_HEAD), _stored(head))
    return head


def verify(head: Head | None = None) -> Findings:
    """Check the whole log, against an outside head where there is one; sealing and erasing wait meanwhile."""
    with session.open("sealer") as connection:
        lock(connection)
        return check(connection, head)


def check(connection: Connection, head: Head | None = None) -> Findings:
    """Check the log as a connection sees it; everything is worked out here, nothing by the database's functions."""
    found = Findings()
    heads = [_told(row) for row in connection.execute(text(_HEADS)).all()]
    checked = [*heads, head] if head else heads
    _check_tables(connection, found)
    wanted: dict[int, set[str]] = {}
    for each in checked:
        wanted.setdefault(each.position, set()).add(each.hash)
    running, stored = START, START
    _compare(found, wanted, 0, running)
    with connection.execute(text(_CHAIN), execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows:
            if row.position != found.positions + 1:
                found.fault(f"position {found.positions + 1} is followed by {row.position}, or missing")
            leaf = _check_row(row, found)
            if bytes(row.running) != _link(stored, bytes(row.leaf)):
                found.fault(f"the chain was written anew at position {row.position}")
            running, stored = _link(running, leaf), bytes(row.running)
            found.positions += 1
            _compare(found, wanted, found.positions, running)
    beyond = max(wanted, default=0)
    if beyond > found.positions:
        found.fault(f"a head stands at position {beyond}, but the chain ends at {found.positions}")
    found.faults += [f"the head at position {each.position} is not signed" for each in heads if not each.is_signed()]
    found.count += sum(not each.is_signed() for each in heads)
    for each in ([head] if head else []) + heads[-1:]:
        slipped_in = connection.execute(text(_SLIPPED_IN), {"epoch": each.epoch, "bound": str(each.bound)}).scalar_one()
        if slipped_in:
            found.fault(f"{slipped_in} records were added to what was sealed by {each.at}")
    accounted = connection.execute(text("SELECT coalesce(sum(accesses), 0) FROM reg.erasures")).scalar_one()
    if accounted != found.erased:
        found.fault(f"{found.erased} records have lost whom they were about, but erasures account for {accounted}")
    found.unsealed = connection.execute(text(_UNSEALED)).scalar_one()
    found.after = found.positions - (head.position if head else 0)
    return found


def find_records(actor: str, before: int | None = None, limit: int = 100) -> list[Row[Any]]:
    """Return accesses for an auditor, the newest first, without whom they were about; raises NotAllowed.

    Rows are id, at, actor, purpose, act, batch_id, fields.
    """
    with session.open("auditor", actor=actor) as connection:
        if connection.execute(text("SELECT calc.audited_actors()")).scalar() is None:
            raise NotAllowed(who=actor, what="read the access log: it is for auditors")
        return list(connection.execute(text(_SHOWN), {"before": before, "limit": limit}).all())


def _append(connection: Connection, rows: list[Any] | Any, position: int, running: bytes) -> tuple[int, bytes]:  # noqa: ANN401
    """Append records to the chain; return where it ends."""
    leaves, salts = [], []
    for row in rows:
        person_leaf = None
        if row.person_id is not None:
            salt = os.urandom(16)
            salts.append((row.id, salt))
            person_leaf = _person_leaf(salt, row.person_id)
        leaf = _leaf(row, person_leaf)
        position, running = position + 1, _link(running, leaf)
        leaves.append((position, row.id, person_leaf, leaf, running))
    for statement, lines in ((_ADD_LEAVES, leaves), (_ADD_SALTS, salts)):
        if lines:
            session.driver(connection).execute(statement, [list(column) for column in zip(*lines, strict=True)])
    return position, running


def _check_row(row: Row[Any], found: Findings) -> bytes:
    """Return the leaf as it must be, noting what is wrong; for a record that is gone, the leaf that was kept."""
    if row.id is None:
        found.fault(f"record {row.record_id}, position {row.position}, is gone")
        return bytes(row.leaf)
    kept = None if row.person_leaf is None else bytes(row.person_leaf)
    if row.person_id is None and row.salt is None:
        found.erased += kept is not None
    elif row.person_id is None or row.salt is None or kept != _person_leaf(bytes(row.salt), row.person_id):
        found.fault(f"whom record {row.id}, position {row.position}, is about was changed")
    leaf = _leaf(row, kept)
    if leaf != bytes(row.leaf):
        found.fault(f"record {row.id}, position {row.position}, was changed")
    return leaf


def _check_tables(connection: Connection, found: Findings) -> None:
    """Note where the tables are no plain tables that show all their rows."""
    for name, kind, hides in connection.execute(text(_TABLES)).all():
        if kind != "r" or hides:
            found.fault(f"reg.{name} hides rows from whoever checks it")


def _compare(found: Findings, wanted: dict[int, set[str]], position: int, running: bytes) -> None:
    """Note a head that says otherwise."""
    if wanted.get(position, set()) - {running.hex()}:
        found.fault(f"the head at position {position} says otherwise than the records up to it")


def _person_leaf(salt: bytes, person: int) -> bytes:
    return hashlib.sha256(b"menpai access person 1\0" + salt + person.to_bytes(8, signed=True)).digest()


def _leaf(row: Row[Any], person_leaf: bytes | None) -> bytes:
    """Hash a record: id, UTC time in microseconds, actor, purpose, act, batch, fields, transaction, epoch, whom."""
    at = row.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    whom = person_leaf.hex() if person_leaf else None
    said = [row.id, at, row.actor, row.purpose, row.act, row.batch_id, row.fields, row.xid, row.epoch, whom]
    return hashlib.sha256(b"menpai access record 1\0" + orjson.dumps(said)).digest()


def _link(running: bytes, leaf: bytes) -> bytes:
    return hashlib.sha256(b"menpai access chain 1\0" + running + leaf).digest()


def _end(connection: Connection) -> tuple[int, bytes]:
    """Return where the chain ends: the last position and its running hash."""
    row = connection.execute(
        text("SELECT position, running FROM reg.access_leaves ORDER BY position DESC LIMIT 1")
    ).first()
    return (row.position, bytes(row.running)) if row else (0, START)


def _stored(head: Head) -> dict[str, Any]:
    """Return a head as its row."""
    raw = {name: bytes.fromhex(getattr(head, name)) for name in ("hash", "key", "signature")}
    return asdict(head) | raw | {"bound": str(head.bound)}


def _told(row: Row[Any]) -> Head:
    """Return a row as its head."""
    at = row.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    key, signature = bytes(row.key).hex(), bytes(row.signature).hex()
    return Head(
        row.position, bytes(row.hash).hex(), at, row.waiting, row.erased, row.epoch, int(row.bound), key, signature
    )


_NOW: Final = """
    SELECT (pg_control_system()).system_identifier, pg_snapshot_xmin(pg_current_snapshot())::text
"""
_SINCE: Final = """
    SELECT r.* FROM reg.access_records r
    WHERE r.xid >= CAST(:since AS xid8) AND r.xid < CAST(:bound AS xid8) AND r.epoch = :epoch
        AND NOT EXISTS (SELECT FROM reg.access_leaves l WHERE l.record_id = r.id)
    ORDER BY r.xid, r.id LIMIT :many
"""
_ALL: Final = """
    SELECT r.* FROM reg.access_records r
    WHERE (r.epoch <> :epoch OR r.xid < CAST(:bound AS xid8))
        AND NOT EXISTS (SELECT FROM reg.access_leaves l WHERE l.record_id = r.id)
    ORDER BY r.epoch = :epoch, r.epoch, r.xid, r.id LIMIT :many
"""
_WAITING: Final = "SELECT count(*) FROM reg.access_records WHERE epoch = :epoch AND xid >= CAST(:bound AS xid8)"
_ERASED: Final = """
    SELECT count(*) FROM reg.access_leaves l WHERE l.person_leaf IS NOT NULL
        AND NOT EXISTS (SELECT FROM reg.access_salts s WHERE s.record_id = l.record_id)
"""
_ADD_LEAVES: Final = """
    INSERT INTO reg.access_leaves (position, record_id, person_leaf, leaf, running)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[])
"""
_ADD_SALTS: Final = "INSERT INTO reg.access_salts (record_id, salt) SELECT * FROM unnest(%s::bigint[], %s::bytea[])"
"""COPY would be quicker, and is not for tables under row security."""
_KEEP_HEAD: Final = """
    INSERT INTO reg.access_heads (position, hash, at, waiting, erased, epoch, bound, key, signature)
    VALUES (:position, :hash, :at, :waiting, :erased, :epoch, CAST(:bound AS xid8), :key, :signature)
"""
_HEADS: Final = """
    SELECT position, hash, at, waiting, erased, epoch, bound::text AS bound, key, signature
    FROM reg.access_heads ORDER BY id
"""
_CHAIN: Final = """
    SELECT l.position, l.record_id, l.person_leaf, l.leaf, l.running, s.salt, r.*
    FROM reg.access_leaves l
    LEFT JOIN reg.access_records r ON r.id = l.record_id LEFT JOIN reg.access_salts s ON s.record_id = l.record_id
    ORDER BY l.position
"""
_SLIPPED_IN: Final = """
    SELECT count(*) FROM reg.access_records r WHERE r.epoch = :epoch AND r.xid < CAST(:bound AS xid8)
        AND NOT EXISTS (SELECT FROM reg.access_leaves l WHERE l.record_id = r.id)
"""
_UNSEALED: Final = """
    SELECT count(*) FROM reg.access_records r
    WHERE NOT EXISTS (SELECT FROM reg.access_leaves l WHERE l.record_id = r.id)
"""
_TABLES: Final = """
    SELECT c.relname, c.relkind, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive)
        OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd IN ('r', '*')
            AND pg_get_expr(p.polqual, p.polrelid) = 'true'
            AND to_regrole(quote_ident(current_database() || '_sealer'))::oid = ANY (p.polroles))
    FROM pg_class c WHERE c.relnamespace = 'reg'::regnamespace
        AND c.relname IN ('access_records', 'access_leaves', 'access_salts', 'access_heads')
"""
_SHOWN: Final = """
    SELECT id, at, actor, purpose, act, batch_id, fields FROM reg.access_records
    WHERE CAST(:before AS bigint) IS NULL OR id < :before ORDER BY id DESC LIMIT :limit
"""
