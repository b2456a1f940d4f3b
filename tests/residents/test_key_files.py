"""The master key is rotated without a pause, backed up for a stated time under a passphrase, and restored whole."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest

from gis import settings
from gis.errors import FileNotReadable, KeysUnreadable
from gis.residents import key_files, keys
from gis.residents.identities import Hasher, Identity, seal, unseal
from gis.residents.keys import KeyStore
from gis.terms import DocumentType

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - nobody's


def test_after_a_rotation_everything_opens_and_every_hash_is_what_it_was(keys_made: KeyStore) -> None:
    before = settings.read().key_file.read_bytes()
    key = keys_made.make(25_000)[0]
    envelope = seal(Identity("测试员"), key)
    document = Hasher(keys_made).document(DocumentType.PASSPORT, "X0012345")
    for _ in range(2):
        assert key_files.rotate() == 25_000
    assert settings.read().key_file.read_bytes() != before
    with keys.open_store() as store:
        assert unseal(envelope, key.id, store).name == "测试员"
        assert Hasher(store).document(DocumentType.PASSPORT, "X0012345") == document
    assert unseal(envelope, key.id, keys_made).name == "测试员"  # open since before
    assert keys_made.get(keys_made.make(1)[0].id)


def test_the_old_master_key_opens_nothing_afterwards(keys_made: KeyStore) -> None:
    key = keys_made.make(1)[0]
    old = settings.read().key_file.read_bytes()
    key_files.rotate()
    here = settings.read().key_file
    here.unlink()
    keys.write_private(here, old)
    with pytest.raises(KeysUnreadable), keys.open_store() as store:
        store.get(key.id)


def test_desks_go_on_while_keys_are_rotated(keys_made: KeyStore) -> None:
    done, failed = threading.Event(), []

    def desk() -> None:
        with keys.open_store() as store:
            while not done.is_set():
                [key] = store.make(1)
                if store.get(key.id) != key.secret:
                    failed.append(key.id)

    desks = [threading.Thread(target=desk) for _ in range(3)]
    for thread in desks:
        thread.start()
    for _ in range(5):
        key_files.rotate()
    done.set()
    for thread in desks:
        thread.join()
    assert not failed
    with keys.open_store() as store:
        assert store.count() == keys_made.count() > 0


@pytest.mark.parametrize("moment", ["gis.residents.key_files._rewrap", "gis.residents.key_files.finish_rotation"])
def test_a_rotation_that_is_killed_leaves_keys_that_open_and_is_finished_by_the_next(
    keys_made: KeyStore, moment: str
) -> None:
    key = keys_made.make(1)[0]
    module, _, name = moment.rpartition(".")
    killed = (
        f"import os, signal, {module} as m\nrun = m.{name}\ncalls = []\n"
        "def die(*a):\n    calls.append(1)\n"
        f"    if len(calls) == {1 if name == '_rewrap' else 2}:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"    return run(*a)\nm.{name} = die\nm.rotate()\n"
    )
    done = subprocess.run([sys.executable, "-c", killed], check=False, env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    assert done.returncode == -signal.SIGKILL
    with keys.open_store() as store:
        assert store.get(key.id) == key.secret
    key_files.rotate()
    assert not keys.next_file(settings.read().key_file).exists()
    assert keys_made.get(key.id) == key.secret


@pytest.fixture
def backed_up(keys_made: KeyStore, tmp_path: Path) -> Path:
    """Return a backup of a store with keys in it."""
    keys_made.make(100)
    path = tmp_path / "keys.backup"
    made = key_files.backup(path, PASSPHRASE)
    assert made.keys == 100
    return path


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the settings name a machine without keys."""
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "new" / "master.key"))


def test_a_backup_restores_what_it_held_on_another_machine(
    keys_made: KeyStore, backed_up: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = keys_made.make(1)[0]
    again = tmp_path / "again.backup"
    key_files.backup(again, PASSPHRASE)
    master = settings.read().key_file.read_bytes()
    elsewhere(monkeypatch, tmp_path)
    assert key_files.restore(again, PASSPHRASE).keys == 101
    with keys.open_store() as store:
        assert store.get(key.id) == key.secret
    assert all(secret not in path.read_bytes() for secret in (master, key.secret) for path in (backed_up, again))
    with pytest.raises(KeysUnreadable, match="move it aside"):
        key_files.restore(again, PASSPHRASE)


@pytest.mark.parametrize("damage", ["passphrase", "a byte", "the end", "the date", "no backup"])
def test_a_backup_that_is_not_whole_restores_nothing(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    elsewhere(monkeypatch, tmp_path)
    content = bytearray(backed_up.read_bytes())
    match damage:
        case "a byte":
            content[-40] ^= 1
        case "the end":
            content = content[:-16]
        case "the date":
            head = orjson.loads(content.split(b"\n")[1])
            content = bytearray(bytes(content).replace(head["kept_until"].encode(), b"2099-01-01", 1))
        case "no backup":
            content = bytearray(b"something else")
    backed_up.write_bytes(content)
    with pytest.raises((KeysUnreadable, FileNotReadable)):
        key_files.restore(backed_up, PASSPHRASE[: 5 if damage == "passphrase" else None])
    assert not settings.read().key_file.exists()
    assert not settings.read().key_store.exists()


def test_a_backup_that_should_have_been_destroyed_is_refused(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere(monkeypatch, tmp_path)
    later = dt.date.today() + dt.timedelta(days=60)  # noqa: DTZ011 - any day after will do
    monkeypatch.setattr(key_files, "today", lambda: later)
    with pytest.raises(KeysUnreadable, match="erased since"):
        key_files.restore(backed_up, PASSPHRASE)


def test_a_backup_is_never_written_over_a_file_nor_under_a_short_passphrase(backed_up: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotReadable, match="never writes over"):
        key_files.backup(backed_up, PASSPHRASE)
    with pytest.raises(KeysUnreadable, match="passphrase"):
        key_files.backup(tmp_path / "other", "short")
    with pytest.raises(KeysUnreadable, match="days"):
        key_files.backup(tmp_path / "other", PASSPHRASE, dt.timedelta(days=400))
