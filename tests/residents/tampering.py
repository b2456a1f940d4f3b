"""Tampering with the access log as somebody with the database owner's password would, who knows how it is sealed."""

import random
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from gis.residents import access_log
from gis.residents.access_log import Head
from gis.store import session

Tamper = Callable[[Connection, random.Random, int], None]
SIGNER = Ed25519PrivateKey.generate()
RECORD = """
    INSERT INTO reg.access_records (actor, purpose, act, person_id, batch_id, fields)
    SELECT 'actor ' || n % 7, 'move', 'open', CASE WHEN n % 5 > 0 THEN n % 40 + 1 END, NULL, ARRAY['name']
    FROM generate_series(1, :many) n
"""


def fill(many: int) -> Head:
    """Write records in several transactions, seal them in several batches; return the head, with some after it."""
    head = None
    for part in (many // 3, many - many // 3):
        for size in (part // 2, part - part // 2):
            write(size)
        head = access_log.seal(SIGNER)
    assert head is not None
    write(5)
    access_log.seal(SIGNER)
    write(3)
    return head


def write(many: int) -> None:
    """Write records of invented accesses in one transaction, past the row policies."""
    with session.connect() as connection, connection.begin():
        connection.execute(text(RECORD), {"many": many})


def attack(connection: Connection, head: Head, seed: int) -> str | None:
    """Tamper once, at or before a head; half of the time the chain and the stored heads are made to fit again.

    Return what was done, or None where the check found nothing. The connection's transaction is left as it was.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable
    name, tamper = chance.choice(list(TAMPERINGS.items()))
    anew = chance.random() < 0.5
    inside = connection.begin_nested()
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    tamper(connection, chance, head.position)
    if anew:
        rechain(connection)
    found = access_log.check(connection, head)
    inside.rollback()
    said = f"{name}{', chained anew' if anew else ''}"
    return said if found.count else None


def run(connection: Connection, statement: str, **values: Any) -> None:  # noqa: ANN401 - any parameter
    """Run one statement."""
    connection.execute(text(statement), values)


def rechain(connection: Connection) -> None:
    """Work the whole chain out anew, as the sealer does, so that it fits what the records say now."""
    rows = connection.execute(text(access_log._CHAIN)).all()  # noqa: SLF001 - an attacker reads the program
    run(connection, "DELETE FROM reg.access_leaves")
    running, position = access_log.START, 0
    for row in rows:
        if row.id is None:
            continue
        position += 1
        whom = None
        if row.person_id is not None:
            run(connection, "INSERT INTO reg.access_salts VALUES (:id, '\\x00') ON CONFLICT DO NOTHING", id=row.id)
            salt = bytes(row.salt) if row.salt is not None else b"\0"
            whom = access_log._person_leaf(salt, row.person_id)  # noqa: SLF001
        elif row.salt is not None:
            run(connection, "DELETE FROM reg.access_salts WHERE record_id = :id", id=row.id)
        leaf = access_log._leaf(row, whom)  # noqa: SLF001
        running = access_log._link(running, leaf)  # noqa: SLF001
        run(
            connection,
            "INSERT INTO reg.access_leaves VALUES (:position, :id, :whom, :leaf, :running)",
            position=position, id=row.id, whom=whom, leaf=leaf, running=running,
        )  # fmt: skip
    run(connection, "DELETE FROM reg.access_heads")


def _change(column: str, value: str) -> Tamper:
    statement = (
        f"UPDATE reg.access_records SET {column} = {value} WHERE id ="  # noqa: S608 - from the list below
        " (SELECT record_id FROM reg.access_leaves WHERE position = :position)"
    )
    return lambda connection, chance, last: run(connection, statement, position=chance.randint(1, last))


def _rename(connection: Connection, chance: random.Random, last: int) -> None:
    """Point a record to another person; one who names nobody, to somebody."""
    place = {"position": chance.randint(1, last)}
    where = "(SELECT record_id FROM reg.access_leaves WHERE position = :position)"
    run(connection, f"UPDATE reg.access_records SET person_id = coalesce(person_id, 0) + 1 WHERE id = {where}", **place)  # noqa: S608


def _unname(connection: Connection, chance: random.Random, last: int) -> None:
    """Erase whom a record is about, with the salt, as an erasure would but without one."""
    rows = connection.execute(
        text(
            "SELECT record_id FROM reg.access_leaves WHERE position <= :last AND person_leaf IS NOT NULL"
            " ORDER BY position"
        ),
        {"last": last},
    )
    place = {"id": chance.choice(list(rows.scalars()))}
    run(connection, "UPDATE reg.access_records SET person_id = NULL WHERE id = :id", **place)
    run(connection, "DELETE FROM reg.access_salts WHERE record_id = :id", **place)


def _drop(connection: Connection, chance: random.Random, last: int) -> None:
    first = chance.randint(1, last)
    place = {"first": first, "end": min(last, first + chance.choice((0, 0, 3)))}
    some = "SELECT record_id FROM reg.access_leaves WHERE position BETWEEN :first AND :end"
    run(connection, f"DELETE FROM reg.access_records WHERE id IN ({some})", **place)  # noqa: S608
    if chance.random() < 0.5:
        run(connection, "DELETE FROM reg.access_leaves WHERE position BETWEEN :first AND :end", **place)


def _truncate(connection: Connection, chance: random.Random, last: int) -> None:
    place = {"position": chance.randint(1, last)}
    some = "SELECT record_id FROM reg.access_leaves WHERE position >= :position"
    run(connection, f"DELETE FROM reg.access_records WHERE id IN ({some}) OR xid > '1'::xid8 AND id NOT IN"  # noqa: S608
        " (SELECT record_id FROM reg.access_leaves)", **place)  # fmt: skip
    run(connection, "DELETE FROM reg.access_leaves WHERE position >= :position", **place)


def _add(connection: Connection, chance: random.Random, last: int) -> None:
    """Write a record as if it had been there: copied, with another actor, in or out of the chain."""
    position = chance.randint(1, last)
    row = connection.execute(
        text(
            "INSERT INTO reg.access_records (at, actor, purpose, act, person_id, fields, xid, epoch)"
            " SELECT at, 'somebody else', purpose, act, person_id, fields, xid, epoch FROM reg.access_records"
            " WHERE id = (SELECT record_id FROM reg.access_leaves WHERE position = :position) RETURNING id"
        ),
        {"position": position},
    ).scalar_one()
    if chance.random() < 0.5:
        run(connection, "UPDATE reg.access_leaves SET position = -position - 1 WHERE position >= :p", p=position)
        run(connection, "UPDATE reg.access_leaves SET position = -position WHERE position < 0")
        run(connection, "INSERT INTO reg.access_leaves VALUES (:p, :id, NULL, '\\x00', '\\x00')", p=position, id=row)


def _reorder(connection: Connection, chance: random.Random, last: int) -> None:
    """Let two records change places, in the chain or by their numbers."""
    one, other = chance.sample(range(1, last + 1), 2)
    table, column = chance.choice((("access_leaves", "position"), ("access_leaves", "record_id")))
    found = connection.execute(
        text(f"SELECT position, {column} FROM reg.{table} WHERE position IN (:one, :other)"),  # noqa: S608
        {"one": one, "other": other},
    )
    rows = {row[0]: row[1] for row in found}
    for place, value in ((one, -1), (other, rows[one]), (-1 if column == "position" else one, rows[other])):
        run(connection, f"UPDATE reg.{table} SET {column} = :value WHERE position = :place", value=value, place=place)  # noqa: S608


def _move(connection: Connection, chance: random.Random, last: int) -> None:
    """Give a record the number or the moment of transaction of another, which its place in the order hangs on."""
    column, value = chance.choice((("id", "id + 1000000"), ("xid", "'3'::xid8"), ("epoch", "epoch + 1")))
    position = {"position": chance.randint(1, last)}
    run(connection, "ALTER TABLE reg.access_records ALTER id SET GENERATED BY DEFAULT")
    old = connection.execute(text("SELECT record_id FROM reg.access_leaves WHERE position = :position"), position)
    record = old.scalar_one()
    new = connection.execute(
        text(
            f"UPDATE reg.access_records SET {column} = {value} WHERE id = :id RETURNING id"  # noqa: S608
        ),
        {"id": record},
    ).scalar_one()
    for table in ("access_leaves", "access_salts"):
        run(connection, f"UPDATE reg.{table} SET record_id = :new WHERE record_id = :old", new=new, old=record)  # noqa: S608


TAMPERINGS: dict[str, Tamper] = {
    "another actor": _change("actor", "'somebody else'"),
    "another purpose": _change("purpose", "'emergency'"),
    "another act": _change("act", "'looked away'"),
    "another moment": _change("at", "at - interval '1 microsecond'"),
    "fewer fields": _change("fields", "'{}'"),
    "a batch": _change("batch_id", "coalesce(batch_id, 0) + 1"),
    "another person": _rename,
    "nobody": _unname,
    "dropped": _drop,
    "truncated": _truncate,
    "added": _add,
    "reordered": _reorder,
    "moved": _move,
}
