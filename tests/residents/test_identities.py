"""What is sealed opens with its own key only; a document is found by its exact number; odd documents wait."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from gis.errors import EnvelopeBroken, PersonErased
from gis.residents.documents import citizenship, read_document
from gis.residents.identities import Hasher, Identity, seal, seal_many, unseal
from gis.residents.keys import KeyStore
from gis.terms import CitizenshipClass, DocumentType, Reason

ON = dt.date(2026, 11, 23)
SOMEBODY = Identity("测试员", "ID", "640106188001010015", "1880-01-01", "male")


def numbered(body: str) -> str:
    return body + str(mod_11_2.calc_check_digit(body))


def test_an_identity_opens_as_it_was_sealed(keys_made: KeyStore) -> None:
    made = keys_made.make(3)
    people = [SOMEBODY, Identity(), Identity(name="无证件")]
    envelopes = seal_many(people, made)
    assert [unseal(envelope, key.id, keys_made) for envelope, key in zip(envelopes, made, strict=True)] == people


def test_an_envelope_says_its_version_and_algorithm_and_nothing_of_the_person(keys_made: KeyStore) -> None:
    key = keys_made.make(1)[0]
    envelope = seal(SOMEBODY, key)
    assert envelope[:2] == b"\x01\x01"
    assert not any(str(part).encode() in envelope for part in SOMEBODY)
    assert seal(SOMEBODY, key) != envelope


def test_an_envelope_moved_to_another_row_does_not_open(keys_made: KeyStore) -> None:
    mine, other = keys_made.make(2)
    with pytest.raises(EnvelopeBroken):
        unseal(seal(SOMEBODY, mine), other.id, keys_made)


@given(place=st.integers(0, 60), change=st.integers(1, 255))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_changed_byte_breaks_an_envelope(keys_made: KeyStore, place: int, change: int) -> None:
    key = keys_made.make(1)[0]
    envelope = bytearray(seal(SOMEBODY, key))
    envelope[place] ^= change
    with pytest.raises(EnvelopeBroken):
        unseal(bytes(envelope), key.id, keys_made)


def test_a_person_whose_key_is_destroyed_is_erased(keys_made: KeyStore) -> None:
    key = keys_made.make(1)[0]
    envelope = seal(SOMEBODY, key)
    keys_made.destroy([key.id])
    with pytest.raises(PersonErased):
        unseal(envelope, key.id, keys_made)


def test_a_document_is_found_by_its_exact_type_and_number(keys_made: KeyStore) -> None:
    hasher = Hasher(keys_made)
    mine = hasher.document(DocumentType.ID, "640106188001010015")
    assert mine == Hasher(keys_made).document(DocumentType.ID, "640106188001010015")
    assert len({mine, hasher.document(DocumentType.ID, "640106188001010016"), hasher.row(["640106188001010015"])}) == 3
    assert mine != hasher.document(DocumentType.HMT, "640106188001010015")


@pytest.mark.parametrize(
    ("doc_type", "number"),
    [
        (DocumentType.ID, numbered("64010618800101001")),
        (DocumentType.ID, numbered("64299918991231999")),  # no county ever had this code: it is not looked up
        (DocumentType.ID, " " + numbered("64010618800229123").lower()),
        (DocumentType.HMT, numbered("81000018850101001")),
        (DocumentType.HMT, numbered("83000018850101001")),
        (DocumentType.HMT, "X00HK0001"),
        (DocumentType.FPR, numbered("96484018850101001")),
        (DocumentType.FPR, "X001234567"),
        (DocumentType.PASSPORT, "X00123456"),
        (DocumentType.PASSPORT, "x00 12345678901"),
    ],
)
def test_a_sound_document_is_accepted(doc_type: DocumentType, number: str) -> None:
    document = read_document(doc_type, number, ON)
    assert document.reason is None
    assert document.number == "".join(number.split()).upper()


@pytest.mark.parametrize(
    ("doc_type", "number", "reason"),
    [
        (DocumentType.ID, "640106800101001", Reason.OLD_DOCUMENT),
        (DocumentType.FPR, "USA640100000101", Reason.OLD_DOCUMENT),
        (DocumentType.ID, numbered("64010618810229123"), Reason.BAD_DOCUMENT),  # 1881 had no 29 February
        (DocumentType.ID, numbered("64010630000101001"), Reason.BAD_DOCUMENT),  # not born yet
        (DocumentType.ID, numbered("81000018850101001"), Reason.BAD_DOCUMENT),  # a permit, not a card
        (DocumentType.HMT, numbered("64010618800101001"), Reason.BAD_DOCUMENT),
        (DocumentType.FPR, numbered("64010618800101001"), Reason.BAD_DOCUMENT),
        (DocumentType.ID, "X00123456", Reason.BAD_DOCUMENT),
        (DocumentType.ID, "", Reason.BAD_DOCUMENT),
        (DocumentType.PASSPORT, "护照123456", Reason.BAD_DOCUMENT),
        (DocumentType.PASSPORT, "ABCDEF", Reason.BAD_DOCUMENT),
    ],
)
def test_an_odd_document_waits_for_a_person(doc_type: DocumentType, number: str, reason: Reason) -> None:
    assert read_document(doc_type, number, ON).reason is reason


@given(st.integers(0, 999), st.dates(dt.date(1880, 1, 1), dt.date(1899, 12, 31)), st.integers(0, 17), st.integers(1, 9))
@settings(deadline=None)
def test_one_wrong_digit_is_found(sequence: int, born: dt.date, place: int, change: int) -> None:
    right = numbered(f"640106{born:%Y%m%d}{sequence:03d}")
    assert read_document(DocumentType.ID, right, ON).birth_date == born
    digit = right[place]
    wrong = right[:place] + (str((int(digit) + change) % 10) if digit.isdigit() else str(change)) + right[place + 1 :]
    assert read_document(DocumentType.ID, wrong, ON).reason is Reason.BAD_DOCUMENT


@pytest.mark.parametrize(
    ("doc_type", "nationality", "expected"),
    [
        (DocumentType.ID, None, CitizenshipClass.MAINLAND),
        (DocumentType.HMT, "CHN", CitizenshipClass.HMT),
        (DocumentType.FPR, None, CitizenshipClass.FOREIGN),
        (DocumentType.PASSPORT, None, CitizenshipClass.FOREIGN),
        (DocumentType.PASSPORT, "fra", CitizenshipClass.FOREIGN),
        (DocumentType.PASSPORT, "CHN", CitizenshipClass.MAINLAND),
        (DocumentType.PASSPORT, "HKG", CitizenshipClass.HMT),
        (None, "CHN", CitizenshipClass.MAINLAND),
        (None, "TWN", CitizenshipClass.HMT),
        (None, "FRA", CitizenshipClass.FOREIGN),
        (None, "法国", None),
        (None, None, None),
    ],
)
def test_document_and_nationality_decide_the_citizenship_class(
    doc_type: DocumentType | None, nationality: str | None, expected: CitizenshipClass | None
) -> None:
    assert citizenship(doc_type, nationality) is expected
