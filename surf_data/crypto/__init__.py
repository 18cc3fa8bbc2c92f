"""Secrets at rest: sealed texts, session tokens, password hashes."""

from surf_data.crypto.key_ring import KeyRing, is_sealed, new_key
from surf_data.crypto.passwords import PasswordHasher
from surf_data.crypto.tokens import new_token, token_digest

__all__ = ["KeyRing", "PasswordHasher", "is_sealed", "new_key", "new_token", "token_digest"]
