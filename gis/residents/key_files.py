"""The master key's life: rotated without a pause, backed up under a passphrase for a stated time, and restored.

A backup of keys gives back what was destroyed since it was made. So it states until when it is kept, is refused
after that day, and an erasure is complete everywhere when the last backup made before it has gone.

A backup is ``MENPAI-KEYS-1``, a line of JSON (made_on, kept_until, salt), and the master key with the store, sealed in
blocks by AES-256-GCM under a key from the passphrase (scrypt, RFC 7914, N = 2**17, r = 8, p = 1). Each block's nonce is
its place, and the first line, the place and whether it is the last are associated data: none can be dropped, moved or
put together from two files.
"""

import datetime as dt
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import text

from gis import settings
from gis.errors import FileNotReadable, KeysUnreadable
from gis.register.acts import today
from gis.residents import keys
from gis.residents.keys import KEY_BYTES, NONCE_BYTES, DataKey, fingerprint, unwrap, wrap
from gis.store import session

KEPT: Final = dt.timedelta(days=30)
"""How long a backup of keys is kept unless the office says otherwise."""
LONGEST_KEPT: Final = dt.timedelta(days=180)
SHORTEST_PASSPHRASE: Final = 16
_MAGIC: Final = b"MENPAI-KEYS-1\n"
_BLOCK: Final = 8 * 2**20
_TAG: Final = 16
_REWRAPPED_AT_ONCE: Final = 10_000
_LOOKED_AT_ONCE: Final = 10_000


@dataclass(frozen=True)
class Backup:
    """A backup that was made or read."""

    keys: int
    kept_until: dt.date


def rotate() -> int:
    """Put a new master key in the place of the present one and wrap every data key anew; return how many.

    Nothing pauses: who has the store open goes on. Broken off at any point, the keys open, and rotating again
    finishes. Raises KeysUnreadable.
    """
    here = settings.read()
    finish_rotation()
    following = keys.next_file(here.key_file)
    following.unlink(missing_ok=True)  # of a rotation that never came to wrap anything
    fresh = os.urandom(KEY_BYTES)
    draft = following.with_name(f"{following.name}.{os.getpid()}")
    keys.write_private(draft, fresh)
    draft.replace(following)  # whole or not at all: desks read it at any moment
    keys.settle(following.parent)
    with keys.open_store() as store:
        with store.transaction() as connection:
            wrapped = _rewrap(connection, AESGCM(store.master()), AESGCM(fresh))
            root = wrap(AESGCM(fresh), DataKey(keys.ROOT_ID, store.root()), os.urandom(NONCE_BYTES))
            connection.execute("INSERT OR REPLACE INTO marks (name, value) VALUES ('root', ?)", (root,))
            connection.execute("UPDATE marks SET value = ? WHERE name = 'master'", (fingerprint(fresh),))
        store.forget_pages()
    finish_rotation()
    return wrapped


def finish_rotation() -> None:
    """Let the next master key take the present one's place where the store is wrapped by it already."""
    here = settings.read()
    following = keys.next_file(here.key_file)
    if not following.exists():
        return
    with keys.open_store() as store:
        done = store.master() == following.read_bytes()
    if done:
        following.replace(here.key_file)
        keys.settle(here.key_file.parent)


def _rewrap(connection: sqlite3.Connection, old: AESGCM, new: AESGCM) -> int:
    """Wrap every data key anew, some at a time, in the transaction that is open."""
    last, done = b"", 0
    while True:
        rows = connection.execute(
            "SELECT id, wrapped FROM data_keys WHERE id > ? ORDER BY id LIMIT ?", (last, _REWRAPPED_AT_ONCE)
        ).fetchall()
        if not rows:
            return done
        connection.executemany(
            "UPDATE data_keys SET wrapped = ? WHERE id = ?",
            [
                (wrap(new, DataKey(key_id, unwrap(old, key_id, wrapped)), os.urandom(NONCE_BYTES)), key_id)
                for key_id, wrapped in rows
            ],
        )
        last, done = rows[-1][0], done + len(rows)


def backup(path: Path, passphrase: str, kept: dt.timedelta = KEPT) -> Backup:
    """Write master key and store into a file sealed under a passphrase; raises KeysUnreadable, FileNotReadable."""
    _check_passphrase(passphrase)
    if not dt.timedelta(days=1) <= kept <= LONGEST_KEPT:
        raise KeysUnreadable(why=f"a backup of keys is kept for 1 to {LONGEST_KEPT.days} days")
    if path.exists():
        raise FileNotReadable(path=path, why="it is there already; a backup never writes over another file")
    until = today() + kept
    salt = os.urandom(16)
    head = _MAGIC + orjson.dumps({"made_on": today(), "kept_until": until, "salt": salt.hex()}) + b"\n"
    with keys.open_store() as store, tempfile.TemporaryDirectory(dir=settings.read().key_store.parent) as folder:
        snapshot = Path(folder) / "store"
        store.copy(snapshot)
        plain = store.master() + snapshot.read_bytes()
        count = store.count()
    keys.write_private(path, head + b"".join(_sealed(plain, _key(passphrase, salt), head)))
    return Backup(count, until)


def restore(path: Path, passphrase: str) -> Backup:
    """Bring back master key and store where there are none; raises KeysUnreadable, FileNotReadable.

    Nothing that is there is written over: another master key would lock everybody out for good.
    """
    here = settings.read()
    for file in (here.key_file, here.key_store):
        if file.exists():
            raise KeysUnreadable(why=f"{file} is there; move it aside before restoring another")
    content = _read(path)
    end = content.index(b"\n", len(_MAGIC)) + 1
    head = orjson.loads(content[len(_MAGIC) : end])
    until = dt.date.fromisoformat(head["kept_until"])
    if until < today():
        raise KeysUnreadable(why=f"{path} was to be destroyed by {until}: it may hold keys of people erased since")
    plain = b"".join(_opened(content[end:], _key(passphrase, bytes.fromhex(head["salt"])), content[:end]))
    keys.private_folder(here.key_file.parent)
    keys.write_private(here.key_store, plain[KEY_BYTES:])
    keys.write_private(here.key_file, plain[:KEY_BYTES])
    keys.settle(here.key_file.parent)
    with keys.open_store() as store:
        return Backup(store.count(), until)


def _read(path: Path) -> bytes:
    """Return the bytes of a backup; raises FileNotReadable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileNotReadable(path=path, why=str(error.strerror)) from error
    if not content.startswith(_MAGIC) or b"\n" not in content[len(_MAGIC) :]:
        raise FileNotReadable(path=path, why="it is no backup of keys")
    return content


def _sealed(plain: bytes, key: AESGCM, head: bytes) -> Iterator[bytes]:
    """Yield the blocks of a backup."""
    for place, start in enumerate(range(0, len(plain), _BLOCK)):
        last = start + _BLOCK >= len(plain)
        yield key.encrypt(_nonce(place), plain[start : start + _BLOCK], _bound(head, place, last=last))


def _opened(sealed: bytes, key: AESGCM, head: bytes) -> Iterator[bytes]:
    """Yield what the blocks hold; raises KeysUnreadable where one is missing, changed, or the passphrase is wrong."""
    step = _BLOCK + _TAG
    for place, start in enumerate(range(0, max(len(sealed), 1), step)):
        last = start + step >= len(sealed)
        try:
            yield key.decrypt(_nonce(place), sealed[start : start + step], _bound(head, place, last=last))
        except InvalidTag as error:
            raise KeysUnreadable(why="the passphrase is wrong, or the backup was damaged") from error


def _nonce(place: int) -> bytes:
    return place.to_bytes(NONCE_BYTES)


def _bound(head: bytes, place: int, *, last: bool) -> bytes:
    return head + place.to_bytes(8) + bytes([last])


def _key(passphrase: str, salt: bytes) -> AESGCM:
    """Return the key that a passphrase gives with a backup's own salt, so that no nonce is used twice under it."""
    return AESGCM(Scrypt(salt=salt, length=KEY_BYTES, n=2**17, r=8, p=1).derive(passphrase.encode()))


def _check_passphrase(passphrase: str) -> None:
    """Raise KeysUnreadable for a passphrase that is too short."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeysUnreadable(why=f"the passphrase has under {SHORTEST_PASSPHRASE} characters")


def count_missing() -> tuple[int, int]:
    """Return how many people the register holds, and of how many the key is not in the store, or there is no store."""
    with session.open("owner") as connection:
        people = int(connection.execute(text("SELECT count(*) FROM reg.persons")).scalar_one())
        look = text("SELECT key_id FROM reg.persons").execution_options(yield_per=_LOOKED_AT_ONCE)
        try:
            with keys.open_store() as store:
                some = connection.execute(look).scalars().partitions()
                known = sum(store.count_known([key.bytes for key in part]) for part in some)
        except KeysUnreadable:  # without the master key nobody opens
            known = 0
    return people, people - known
