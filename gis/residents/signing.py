"""The key that signs heads of the access log: derived from the key store, apart from the register."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gis.residents import keys


def head_signer() -> Ed25519PrivateKey:
    """Return the key; it stays the same when the master key is rotated. Raises KeysUnreadable."""
    with keys.open_store() as store:
        return Ed25519PrivateKey.from_private_bytes(store.derive("access log head 1"))
