"""Keys, apart from the register: one data key for each person, wrapped by a master key.

The master key is a file of 32 random bytes. Data keys lie in an SQLite file beside it, which no
backup of the register copies: destroying a data key erases the person, in every older backup too. A
key is on disk before the row that needs it is sent to the register; a key without a row does no harm.

Wrapping is AES-256-GCM (NIST SP 800-38D) with the key's id as associated data, so that a wrapped key
opens under no other id. Random 96-bit nonces allow one master key 2**32 wrappings (section 8.3).

The store names the master key that wraps it, by a fingerprint. ``gis.residents.key_files`` rotates: it puts the next
master key beside the present one, wraps everything anew in one transaction, then lets it take the other's place; who
has the store open meanwhile goes on, because the store says which of the two holds. Keys for hashes are derived from
the first master key there was, which is kept wrapped: a hash must stay what it is.
"""

import datetime as dt
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gis import settings
from gis.errors import KeysUnreadable, PersonErased

KEY_BYTES: Final = 32
ID_BYTES: Final = 16
NONCE_BYTES: Final = 12
WRAPPED_BYTES: Final = 2 + NONCE_BYTES + KEY_BYTES + 16
WRAPPING: Final = b"\x01\x01"
"""First bytes of a wrapped key: version 1, algorithm 1 = AES-256-GCM (2 is kept for SM4-GCM)."""
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
ROOT_ID: Final = b"the root of hash"
"""The id under which the root is wrapped."""
_WRAP_PURPOSE: Final = b"menpai data key 1 "
_LOOKED_UP_AT_ONCE: Final = 500
_READ_AT_ONCE: Final = 10_000
_LOOKS: Final = 5


class DataKey(NamedTuple):
    """A person's key and the id under which the store keeps it."""

    id: bytes
    secret: bytes


class KeyStore:
    """The open key store: wraps new data keys, gives them back, destroys them, and derives keys for hashes."""

    def __init__(self, read_masters: Callable[[], list[bytes]], connection: sqlite3.Connection) -> None:
        """Use ``open_store``, which knows where master keys lie and opens the file as it must be opened."""
        self._read_masters = read_masters
        self._connection = connection
        self._masters: dict[bytes, bytes] = {}
        masters = read_masters()
        connection.execute(
            "INSERT INTO marks (name, value) VALUES ('master', ?) ON CONFLICT DO NOTHING", (fingerprint(masters[0]),)
        )
        self.master()

    def make(self, count: int) -> list[DataKey]:
        """Make ``count`` data keys and commit them; when this returns they are on disk."""
        ids, secrets = new_ids(count), os.urandom(KEY_BYTES * count)
        made = [DataKey(key_id, secrets[KEY_BYTES * i : KEY_BYTES * (i + 1)]) for i, key_id in enumerate(ids)]
        nonces = os.urandom(NONCE_BYTES * count)
        with self.transaction() as connection:  # within it no other master key takes over
            wrapper = AESGCM(self.master())
            connection.executemany(
                "INSERT INTO data_keys (id, wrapped) VALUES (?, ?)",
                (
                    (key.id, wrap(wrapper, key, nonces[NONCE_BYTES * i : NONCE_BYTES * (i + 1)]))
                    for i, key in enumerate(made)
                ),
            )
        return made

    def get(self, key_id: bytes) -> bytes:
        """Return the data key of an id; raises PersonErased where there is none, KeysUnreadable for a foreign one."""
        row = self._connection.execute(
            "SELECT wrapped, (SELECT value FROM marks WHERE name = 'master') FROM data_keys WHERE id = ?", (key_id,)
        ).fetchone()
        if row is None:
            raise PersonErased
        return unwrap(AESGCM(self._named(row[1])), key_id, row[0])

    def destroy(self, key_ids: Sequence[bytes]) -> int:
        """Destroy data keys for good, on disk too; return how many there were."""
        destroyed = 0
        with self.transaction() as connection:
            for start in range(0, len(key_ids), _LOOKED_UP_AT_ONCE):
                some = key_ids[start : start + _LOOKED_UP_AT_ONCE]
                for key_id in some:
                    destroyed += connection.execute("DELETE FROM data_keys WHERE id = ?", (key_id,)).rowcount
        self.forget_pages()
        return destroyed

    def forget_pages(self) -> None:
        """Take old pages out of the write-ahead log: secure_delete has overwritten them in the file itself."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, path: Path) -> None:
        """Write the store, as it is at one moment, into a new file that others cannot read."""
        path.touch(mode=PRIVATE_FILE)
        with closing(sqlite3.connect(path)) as other:
            self._connection.backup(other)

    def count(self) -> int:
        """Return how many data keys there are."""
        return int(self._connection.execute("SELECT count(*) FROM data_keys").fetchone()[0])

    def count_known(self, key_ids: Sequence[bytes]) -> int:
        """Return how many of these ids have their key here."""
        look = "SELECT 1 FROM data_keys WHERE id = ?"
        return sum(self._connection.execute(look, (key_id,)).fetchone() is not None for key_id in key_ids)

    def ids_before(self, moment: dt.datetime) -> Iterator[list[bytes]]:
        """Yield the ids of keys made before a moment, some at a time: an id begins with the time it was made."""
        last, end = b"", int(moment.timestamp() * 1000).to_bytes(6)
        while True:
            rows = self._connection.execute(
                "SELECT id FROM data_keys WHERE id > ? AND id < ? ORDER BY id LIMIT ?", (last, end, _READ_AT_ONCE)
            ).fetchall()
            if not rows:
                return
            yield [row[0] for row in rows]
            last = rows[-1][0]

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose, derived from the root (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"menpai {purpose}".encode()).derive(self.root())

    def root(self) -> bytes:
        """Return what keys for hashes are derived from: the first master key there was."""
        kept = self._mark("root")
        return self.master() if kept is None else unwrap(AESGCM(self.master()), ROOT_ID, kept)

    def master(self) -> bytes:
        """Return the master key that wraps the store now; raises KeysUnreadable where its file is not here."""
        return self._named(self._mark("master") or b"")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def _mark(self, name: str) -> bytes | None:
        row = self._connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def _named(self, mark: bytes) -> bytes:
        """Return the master key of a fingerprint, looking at the files again where another has taken over."""
        for _ in range(_LOOKS):  # between two looks the next master key may have taken the other's place
            if mark in self._masters:
                break
            self._masters = {fingerprint(master): master for master in self._read_masters()}
        if mark not in self._masters:
            raise KeysUnreadable(why="the key store belongs to another master key")
        return self._masters[mark]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the file's connection in a transaction that no other writer shares."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def fingerprint(master: bytes) -> bytes:
    """Return 16 bytes that name a master key and tell nothing of it."""
    return HKDF(hashes.SHA256(), ID_BYTES, salt=None, info=b"menpai master fingerprint 1").derive(master)


def wrap(wrapper: AESGCM, key: DataKey, nonce: bytes) -> bytes:
    """Return a data key wrapped under its id; a nonce is used once."""
    return WRAPPING + nonce + wrapper.encrypt(nonce, key.secret, _WRAP_PURPOSE + key.id)


def unwrap(wrapper: AESGCM, key_id: bytes, wrapped: bytes) -> bytes:
    """Return the data key that was wrapped under an id; raises KeysUnreadable."""
    start = len(WRAPPING)
    if wrapped[:start] != WRAPPING:
        raise KeysUnreadable(why="a data key is wrapped by an algorithm this version does not know")
    nonce, sealed = wrapped[start : start + NONCE_BYTES], wrapped[start + NONCE_BYTES :]
    try:
        return wrapper.decrypt(nonce, sealed, _WRAP_PURPOSE + key_id)
    except InvalidTag as error:
        raise KeysUnreadable(why="a wrapped key was changed, or moved to another id") from error


def init() -> bool:
    """Make the master key and an empty store where there are none; return whether a key was made.

    An existing key is never touched, and a store without its key is refused: a new key would lock
    everybody out for good. Raises KeysUnreadable.
    """
    here = settings.read()
    if here.key_file.exists():
        open_store().close()
        return False
    if here.key_store.exists():
        raise KeysUnreadable(why=f"{here.key_store} is there but its master key {here.key_file} is not: restore it")
    private_folder(here.key_file.parent)
    fresh = here.key_file.with_name(f"{here.key_file.name}.{os.getpid()}")
    write_private(fresh, os.urandom(KEY_BYTES))
    try:
        os.link(fresh, here.key_file)  # atomic, and never over a key that somebody else just made
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    settle(here.key_file.parent)
    open_store().close()
    return True


def open_store() -> KeyStore:
    """Open the key store the settings name; raises KeysUnreadable where the master key is missing or not private."""
    here = settings.read()
    masters = read_masters(here.key_file)  # before the store is made: without a key there is none
    here.key_store.touch(mode=PRIVATE_FILE, exist_ok=True)
    _check_private(here.key_store)
    connection = sqlite3.connect(here.key_store, timeout=60, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS data_keys (id BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT")
    assert masters  # noqa: S101 - read_masters raises where there is none
    return KeyStore(lambda: read_masters(here.key_file), connection)


def next_file(key_file: Path) -> Path:
    """Return where the next master key lies while a rotation is under way."""
    return key_file.with_name(f"{key_file.name}.next")


def read_masters(key_file: Path) -> list[bytes]:
    """Return the present master key, and the next where a rotation is under way; raises KeysUnreadable."""
    masters = []
    with suppress(FileNotFoundError):  # it may take the other's place in this very moment
        masters = [next_file(key_file).read_bytes()]
    return [_read_master(key_file), *masters]


def new_ids(count: int) -> list[bytes]:
    """Return ``count`` new key ids in rising order: UUIDs of version 7 (RFC 9562), sorted within the call.

    Rising ids append to their indexes, here and in the register, where random ones would scatter.
    """
    stamp = np.frombuffer(int(time.time() * 1000).to_bytes(6, "big"), dtype=np.uint8)
    random = np.frombuffer(os.urandom(10 * count), dtype=np.uint8).reshape(count, 10).copy()
    random[:, 0] = random[:, 0] & 0x0F | 0x70
    random[:, 2] = random[:, 2] & 0x3F | 0x80
    ids = np.concatenate([np.broadcast_to(stamp, (count, 6)), random], axis=1).tobytes()
    return sorted(ids[start : start + ID_BYTES] for start in range(0, len(ids), ID_BYTES))


def _read_master(path: Path) -> bytes:
    try:
        _check_private(path)
        master = path.read_bytes()
    except FileNotFoundError as error:
        raise KeysUnreadable(why=f'there is no master key {path}; make one with "menpai keys init"') from error
    except OSError as error:
        raise KeysUnreadable(why=f"{path}: {error.strerror}") from error
    if len(master) != KEY_BYTES:
        raise KeysUnreadable(why=f"{path} does not hold a master key of {KEY_BYTES} bytes")
    return master


def _check_private(path: Path) -> None:
    """Refuse a file that others on this machine could read."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeysUnreadable(why=f"others may read {path}: type “chmod 600 {path}”")


def private_folder(folder: Path) -> None:
    """Make a folder that others cannot look into, where there is none."""
    if not folder.exists():
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
        folder.chmod(PRIVATE_FOLDER)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that others cannot read, and have it on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def settle(folder: Path) -> None:
    """Have the folder's entries on disk, so that a power cut does not take the new key's name away."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
