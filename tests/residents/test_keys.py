"""A key is safe before its row, opens under its own id only, and once destroyed is gone."""

import sqlite3
import stat
from pathlib import Path

import pytest

from gis import settings
from gis.errors import KeysUnreadable, PersonErased
from gis.residents import keys
from gis.residents.keys import KeyStore


def test_keys_and_their_folder_are_closed_to_others(keys_made: KeyStore) -> None:
    here = settings.read()
    keys_made.make(1)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (here.key_file.parent, here.key_file, here.key_store)]
    assert modes == [0o700, 0o600, 0o600]


def test_init_never_touches_a_key_that_is_there(keys_made: KeyStore) -> None:
    before = settings.read().key_file.read_bytes()
    assert not keys.init()
    assert settings.read().key_file.read_bytes() == before
    keys_made.close()


def test_a_store_without_its_master_key_is_not_given_a_new_one(keys_made: KeyStore) -> None:
    keys_made.close()
    settings.read().key_file.unlink()
    with pytest.raises(KeysUnreadable, match="restore it"):
        keys.init()


def test_a_master_key_that_others_may_read_is_refused(keys_made: KeyStore) -> None:
    keys_made.close()
    settings.read().key_file.chmod(0o644)
    with pytest.raises(KeysUnreadable, match="chmod 600"):
        keys.open_store()


def test_without_a_master_key_the_message_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "none" / "master.key"))
    with pytest.raises(KeysUnreadable, match="menpai keys init"):
        keys.open_store()


def test_keys_come_back_as_they_were_made(keys_made: KeyStore) -> None:
    made = keys_made.make(100)
    assert len({key.secret for key in made}) == len({key.id for key in made}) == 100
    assert [keys_made.get(key.id) for key in made] == [key.secret for key in made]


def test_keys_are_on_disk_for_others_when_make_returns(keys_made: KeyStore) -> None:
    key = keys_made.make(1)[0]
    with keys.open_store() as another:
        assert another.get(key.id) == key.secret


def test_ids_rise_so_that_they_append_to_their_indexes(keys_made: KeyStore) -> None:
    ids = [key.id for key in keys_made.make(1000)]
    assert ids == sorted(ids)
    assert {(key_id[6] >> 4, key_id[8] >> 6) for key_id in ids} == {(7, 2)}


def test_a_wrapped_key_opens_under_no_other_id(keys_made: KeyStore) -> None:
    one, other = keys_made.make(2)
    with sqlite3.connect(settings.read().key_store) as connection:
        wrapped = connection.execute("SELECT wrapped FROM data_keys WHERE id = ?", (one.id,)).fetchone()[0]
        connection.execute("UPDATE data_keys SET wrapped = ? WHERE id = ?", (wrapped, other.id))
    connection.close()
    with pytest.raises(KeysUnreadable):
        keys_made.get(other.id)


def test_a_destroyed_key_is_gone_from_the_file_as_well(keys_made: KeyStore) -> None:
    kept, destroyed = keys_made.make(2)
    assert keys_made.destroy([destroyed.id, b"nobody's key id!"]) == 1
    with pytest.raises(PersonErased):
        keys_made.get(destroyed.id)
    assert keys_made.get(kept.id) == kept.secret
    folder = settings.read().key_store.parent
    assert all(destroyed.id not in path.read_bytes() for path in folder.iterdir())


def test_no_data_key_lies_in_the_store_in_the_clear(keys_made: KeyStore) -> None:
    made = keys_made.make(50)
    stored = b"".join(path.read_bytes() for path in settings.read().key_store.parent.iterdir())
    assert all(key.id in stored for key in made)
    assert not any(key.secret in stored for key in made)


def test_derived_keys_differ_by_purpose_and_never_change(keys_made: KeyStore) -> None:
    assert keys_made.derive("one") == keys_made.derive("one") != keys_made.derive("other")
