"""Keys, apart from the register: one data key for each person, wrapped by a master key.

The master key is a file of 32 random bytes. Data keys lie in an SQLite file beside it, which no
backup of the register copies: destroying a data key erases the person, in every older backup too. A
key is on disk before the row that needs it is sent to the register; a key without a row does no harm.

Wrapping is AES-256-GCM (NIST SP 800-38D) with the key's id as associated data, so that a wrapped key
opens under no other id. Random 96-bit nonces allow one master key 2**32 wrappings (section 8.3).
"""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
_WRAP_PURPOSE: Final = b"menpai data key 1 "
_LOOKED_UP_AT_ONCE: Final = 500


class DataKey(NamedTuple):
    """A person's key and the id under which the store keeps it."""

    id: bytes
    secret: bytes


class KeyStore:
    """The open key store: wraps new data keys, gives them back, destroys them, and derives keys for hashes."""

    def __init__(self, master: bytes, connection: sqlite3.Connection) -> None:
        """Use ``open_store``, which reads the master key and opens the file as it must be opened."""
        self._master = master
        self._wrapper = AESGCM(master)
        self._connection = connection

    def make(self, count: int) -> list[DataKey]:
        """Make ``count`` data keys and commit them; when this returns they are on disk."""
        ids, secrets = new_ids(count), os.urandom(KEY_BYTES * count)
        made = [DataKey(key_id, secrets[KEY_BYTES * i : KEY_BYTES * (i + 1)]) for i, key_id in enumerate(ids)]
        nonces = os.urandom(NONCE_BYTES * count)
        wrapped = [
            (key.id, self._wrap(key, nonces[NONCE_BYTES * i : NONCE_BYTES * (i + 1)])) for i, key in enumerate(made)
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO data_keys (id, wrapped) VALUES (?, ?)", wrapped)
        return made

    def get(self, key_id: bytes) -> bytes:
        """Return the data key of an id; raises PersonErased where there is none, KeysUnreadable for a foreign one."""
        row = self._connection.execute("SELECT wrapped FROM data_keys WHERE id = ?", (key_id,)).fetchone()
        if row is None:
            raise PersonErased
        return self._unwrap(key_id, row[0])

    def destroy(self, key_ids: Sequence[bytes]) -> int:
        """Destroy data keys for good, on disk too; return how many there were."""
        destroyed = 0
        with self._transaction() as connection:
            for start in range(0, len(key_ids), _LOOKED_UP_AT_ONCE):
                some = key_ids[start : start + _LOOKED_UP_AT_ONCE]
                for key_id in some:
                    destroyed += connection.execute("DELETE FROM data_keys WHERE id = ?", (key_id,)).rowcount
        # secure_delete has overwritten the page; this takes the old one out of the write-ahead log as well
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return destroyed

    def count(self) -> int:
        """Return how many data keys there are."""
        return int(self._connection.execute("SELECT count(*) FROM data_keys").fetchone()[0])

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose, derived from the master key (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"menpai {purpose}".encode()).derive(self._master)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def _wrap(self, key: DataKey, nonce: bytes) -> bytes:
        return WRAPPING + nonce + self._wrapper.encrypt(nonce, key.secret, _WRAP_PURPOSE + key.id)

    def _unwrap(self, key_id: bytes, wrapped: bytes) -> bytes:
        start = len(WRAPPING)
        if wrapped[:start] != WRAPPING:
            raise KeysUnreadable(why="a data key is wrapped by an algorithm this version does not know")
        nonce, sealed = wrapped[start : start + NONCE_BYTES], wrapped[start + NONCE_BYTES :]
        try:
            return self._wrapper.decrypt(nonce, sealed, _WRAP_PURPOSE + key_id)
        except InvalidTag as error:
            raise KeysUnreadable(why="the key store belongs to another master key") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


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
    _private_folder(here.key_file.parent)
    fresh = here.key_file.with_name(f"{here.key_file.name}.{os.getpid()}")
    _write_private(fresh, os.urandom(KEY_BYTES))
    try:
        os.link(fresh, here.key_file)  # atomic, and never over a key that somebody else just made
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    _settle(here.key_file.parent)
    open_store().close()
    return True


def open_store() -> KeyStore:
    """Open the key store the settings name; raises KeysUnreadable where the master key is missing or not private."""
    here = settings.read()
    master = _read_master(here.key_file)
    here.key_store.touch(mode=PRIVATE_FILE, exist_ok=True)
    _check_private(here.key_store)
    connection = sqlite3.connect(here.key_store, timeout=60, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS data_keys (id BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID"
    )
    return KeyStore(master, connection)


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


def _private_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
        folder.chmod(PRIVATE_FOLDER)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have the folder's entries on disk, so that a power cut does not take the new key's name away."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
