"""Secrets at rest: encrypted texts, session tokens, password hashes."""

from surf_data.kernel.crypto.key_ring import KeyRing, is_encrypted, new_key
from surf_data.kernel.crypto.passwords import PasswordHasher
from surf_data.kernel.crypto.tokens import new_token, token_digest

__all__ = ["KeyRing", "PasswordHasher", "is_encrypted", "new_key", "new_token", "token_digest"]
