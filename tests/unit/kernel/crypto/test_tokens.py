"""Tokens and API keys: random, shown once, stored as digests."""

from surf_data.kernel.crypto import new_api_key, token_digest


def test_an_api_key_is_found_by_its_digest_and_known_by_its_end() -> None:
    """What is stored is the digest and the last four characters."""
    secret, digest, preview = new_api_key("dlt_")
    key = secret.reveal()
    assert (key[:4], len(key), digest, preview) == ("dlt_", 47, token_digest(key), key[-4:])


def test_an_api_key_shows_itself_only_on_request() -> None:
    """Neither the object nor its parts repeat the key."""
    made = new_api_key()
    assert len(made.secret.reveal()) == 43
    assert made.secret.reveal() not in f"{made!r} {made}"
    assert new_api_key().secret != made.secret
