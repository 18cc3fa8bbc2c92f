"""Secrets at rest: encrypted texts, session tokens and API keys, password hashes."""

from surf_data.kernel.crypto.key_ring import KeyRing, is_encrypted, new_key
from surf_data.kernel.crypto.passwords import PasswordHasher
from surf_data.kernel.crypto.tokens import NewApiKey, new_api_key, new_token, token_digest

__all__ = [
    "KeyRing",
    "NewApiKey",
    "PasswordHasher",
    "is_encrypted",
    "new_api_key",
    "new_key",
    "new_token",
    "token_digest",
]
