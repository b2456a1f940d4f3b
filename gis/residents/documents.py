"""Identity documents: is a number what its kind of document can carry?

- ``ID``: GB 11643-1999, 18 characters: six of address, eight of birth date, three of sequence, one check
  character by ISO 7064 MOD 11-2. The six of address are not looked up: counties are younger than people.
- ``HMT``: 港澳台居民居住证 (国办发〔2018〕81号): the same, with address 810000, 820000 or 830000.
- ``FPR``: 外国人永久居留身份证 of 2023 (国家移民管理局, 2023-12-01): 18 characters, the first a 9, the eight of
  birth date and the check character where GB 11643 has them. That of 2017 had three letters and twelve digits.
- ``PASSPORT``: ICAO Doc 9303 part 4: five to nine letters and digits.
- Any but ``ID`` may have the form ``X00…`` of invented people (rights.md, 10), which nobody issues.
"""

import datetime as dt
import re
from functools import lru_cache
from typing import Final, NamedTuple

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2

from gis.terms import CitizenshipClass, DocumentType, Reason

_SHAPES: Final = {
    DocumentType.ID: re.compile("[1-7][0-9]{16}[0-9X]"),
    DocumentType.HMT: re.compile("8[123]0000[0-9]{11}[0-9X]"),
    DocumentType.FPR: re.compile("9[0-9]{16}[0-9X]"),
}
_OLD: Final = {DocumentType.ID: re.compile("[0-9]{15}"), DocumentType.FPR: re.compile("[A-Z]{3}[0-9]{12}")}
_PASSPORT: Final = re.compile("(?=.*[0-9])[A-Z0-9]{5,9}")
_INVENTED: Final = re.compile("X00[A-Z0-9]{1,17}")
_CHINA: Final = "CHN"
_HMT_NATIONALITIES: Final = frozenset({"HKG", "MAC", "TWN"})
_NATIONALITY: Final = re.compile("[A-Z]{3}")


class Document(NamedTuple):
    """A document as it was found: its number in normal writing, and what is wrong with it."""

    type: DocumentType
    number: str
    birth_date: dt.date | None
    """The date the number carries, where its kind carries one."""
    reason: Reason | None = None
    """Why a person must look at it; None where nothing is wrong."""


def read_document(doc_type: DocumentType, number: str, on: dt.date) -> Document:
    """Check a document number on a day; spaces are dropped and letters raised, nothing is repaired."""
    written = "".join(number.split()).upper()
    if doc_type is not DocumentType.ID and _INVENTED.fullmatch(written):
        return Document(doc_type, written, None)
    if doc_type is DocumentType.PASSPORT:
        return Document(doc_type, written, None, None if _PASSPORT.fullmatch(written) else Reason.BAD_DOCUMENT)
    if doc_type in _OLD and _OLD[doc_type].fullmatch(written):
        return Document(doc_type, written, None, Reason.OLD_DOCUMENT)
    birth_date = _date(written[6:14]) if _SHAPES[doc_type].fullmatch(written) else None
    sound = birth_date is not None and birth_date <= on and _checks(written)
    return Document(doc_type, written, birth_date, None if sound else Reason.BAD_DOCUMENT)


def citizenship(doc_type: DocumentType | None, nationality: str | None) -> CitizenshipClass | None:
    """Return the citizenship class a document and a nationality (ISO 3166-1 alpha-3) tell; None for neither.

    An identity card makes a mainlander and the other two cards what they are for; only a passport,
    or no document at all, leaves it to the nationality.
    """
    if doc_type is DocumentType.ID:
        return CitizenshipClass.MAINLAND
    if doc_type is DocumentType.HMT:
        return CitizenshipClass.HMT
    if doc_type is DocumentType.FPR:
        return CitizenshipClass.FOREIGN
    country = (nationality or "").strip().upper()
    if country in _HMT_NATIONALITIES:
        return CitizenshipClass.HMT
    if country == _CHINA:
        return CitizenshipClass.MAINLAND
    known = doc_type is DocumentType.PASSPORT or _NATIONALITY.fullmatch(country)
    return CitizenshipClass.FOREIGN if known else None


def _checks(number: str) -> bool:
    try:
        return int(mod_11_2.checksum(number)) == 1
    except (ValidationError, ValueError):
        return False


@lru_cache(maxsize=65_536)
def _date(digits: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    except ValueError:
        return None
