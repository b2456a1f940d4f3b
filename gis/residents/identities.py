"""Sealed identities: the one place where a name, a document or a birth date becomes unreadable, or readable again.

An envelope is ``version (1 byte), algorithm (1), nonce (12), ciphertext, tag (16)`` under the person's own
data key: AES-256-GCM (NIST SP 800-38D), with the key's id and the purpose as associated data, so that an
envelope opens in its own row only. Algorithm 2 is kept for SM4-GCM (GB/T 32907, RFC 8998).

A document is found again through a keyed hash of its exact type and number (HMAC-SHA256, RFC 2104)
under a key of its own; without that key nobody can try numbers out.
"""

import hmac
import os
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gis.errors import EnvelopeBroken
from gis.residents.keys import NONCE_BYTES, DataKey, KeyStore
from gis.terms import DocumentType

ENVELOPE: Final = b"\x01\x01"
"""First bytes of an envelope: version 1, algorithm 1 = AES-256-GCM."""
_PURPOSE: Final = b"menpai identity 1 "
_DOCUMENT_HASH: Final = "document hash 1"
_ROW_HASH: Final = "roster row hash 1"
_RECEIPT_HASH: Final = "receipt hash 1"


class Identity(NamedTuple):
    """Who somebody is, as their document says; every part may be missing in a roster. Dates are YYYY-MM-DD."""

    name: str | None = None
    doc_type: str | None = None
    id_number: str | None = None
    birth_date: str | None = None
    sex: str | None = None


class Hasher:
    """Keyed hashes of documents, roster rows and receipts; one input gives the same 32 bytes under one master key."""

    def __init__(self, store: KeyStore) -> None:
        """Derive the keys, one for each kind of hash."""
        self._document_key = store.derive(_DOCUMENT_HASH)
        self._row_key = store.derive(_ROW_HASH)
        self._receipt_key = store.derive(_RECEIPT_HASH)

    def document(self, doc_type: DocumentType, number: str) -> bytes:
        """Return the hash by which an exact document is found again."""
        return hmac.digest(self._document_key, f"{doc_type.value}\0{number}".encode(), "sha256")

    def receipt(self, code: str) -> bytes:
        """Return the hash by which a receipt's plain code is found again."""
        return hmac.digest(self._receipt_key, code.encode(), "sha256")

    def row(self, fields: Sequence[str | None]) -> bytes:
        """Return the hash by which a roster's row is known unchanged."""
        return hmac.digest(self._row_key, orjson.dumps(list(fields)), "sha256")


def seal(identity: Identity, key: DataKey) -> bytes:
    """Return the identity sealed under a person's own data key."""
    return seal_many([identity], [key])[0]


def seal_many(identities: Sequence[Identity], keys: Sequence[DataKey]) -> list[bytes]:
    """Return n identities sealed, each under its own key (n,)."""
    nonces = os.urandom(NONCE_BYTES * len(keys))
    envelopes = []
    for place, (identity, key) in enumerate(zip(identities, keys, strict=True)):
        nonce = nonces[NONCE_BYTES * place : NONCE_BYTES * (place + 1)]
        content = orjson.dumps(identity._asdict())
        envelopes.append(ENVELOPE + nonce + AESGCM(key.secret).encrypt(nonce, content, _PURPOSE + key.id))
    return envelopes


def unseal(envelope: bytes, key_id: bytes, store: KeyStore) -> Identity:
    """Open an envelope; raises PersonErased, KeysUnreadable, or EnvelopeBroken where it is not this key's."""
    start = len(ENVELOPE)
    if envelope[:start] != ENVELOPE:
        raise EnvelopeBroken
    nonce, sealed = envelope[start : start + NONCE_BYTES], envelope[start + NONCE_BYTES :]
    try:
        content = AESGCM(store.get(key_id)).decrypt(nonce, sealed, _PURPOSE + key_id)
    except InvalidTag as error:
        raise EnvelopeBroken from error
    return Identity(**orjson.loads(content))
