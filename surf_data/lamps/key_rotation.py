"""Encrypts the keys of the sources of surf data with the newest key, for an operator."""

import attrs

from surf_data.kernel.crypto import KeyRing, is_encrypted
from surf_data.kernel.postgres import Session
from surf_data.lamps.api_keys import context, opened
from surf_data.lamps.queries import lamp_queries


@attrs.frozen(kw_only=True)
class Rotation:
    """What became of the stored keys."""

    #: How many were in plain text, and are encrypted now.
    encrypted: int
    #: How many were encrypted with an older key, and are with the newest now.
    rotated: int
    #: How many were encrypted with the newest key already.
    kept: int


def rotate(session: Session, ring: KeyRing, *, dry_run: bool = False) -> Rotation:
    """Encrypt all stored API keys with the newest key of the ring.

    Arguments:
        session: in a transaction.
        ring: the newest key, and those that the stored ones are encrypted with.
        dry_run: decrypt and count, and change nothing.

    Raises:
        EncryptionError: one cannot be decrypted; nothing is changed when the transaction is rolled back.
        DatabaseError: they cannot be read or stored.
    """
    encrypted = rotated = kept = 0
    for identity, stored in lamp_queries().api_key_list(session):
        plain = opened(ring, identity, stored)
        if not is_encrypted(stored):
            encrypted += 1
        elif not ring.is_newest(stored):
            rotated += 1
        else:
            kept += 1
            continue
        if not dry_run:
            lamp_queries().api_key_update(session, id=identity, api_key=ring.encrypt(context(identity), str(plain)))
    return Rotation(encrypted=encrypted, rotated=rotated, kept=kept)
