"""No secret of the domain is shown: not in logs, representations, errors, URLs that are logged, or the database."""

import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig.azurite import KEY
from rig.pictures import png
from surf_data import screenshot
from surf_data.errors import SurfDataError
from surf_data.screenshot import User

AWS, SIGNING, REDIS, DATABASE = (f"planted-{name}-0123456789-0123456789-01" for name in ("aws", "sign", "redis", "db"))
HASH = "planted-password-hash"


def test_keys_and_tokens(
    app_url: str, redis_url: str, tmp_path: Path, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What is done with keys, tokens, hashes and session ids shows none of them, at any level of the logs."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    settings: dict[str, Any] = {
        "local_storage_path": str(tmp_path),
        "storage_signing_keys": SIGNING,
        "storage_fsync": False,
        "slow_query_ms": 0,
    }
    with screenshot.open(app_url, redis_url, **settings) as data:
        data.storage.initialize()
        user = data.users.save(User(email="a@example.com", password_hash=HASH))
        token = data.users.begin_password_reset("a@example.com")
        session = data.sessions.create(user.id or "")
        data.sessions.get(session.token)
        data.cache.set_session("planted-session-id", {"userId": "u"})
        data.storage.upload(png(), "a.png")
        url = data.storage.signed_url("a.png")
        data.storage.open_signed(url).body.close()
        for call in (
            lambda: data.storage.open_signed(f"{url}x"),
            lambda: data.users.finish_password_reset("planted-wrong-token", "x" * 300),
            lambda: data.cache.set_session("planted-session-id", {"userId": {1}}),
            lambda: data.sessions.set_data(session.token, {"a": {1}}),
        ):
            with pytest.raises(SurfDataError) as caught:
                call()
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
        assert token is not None
        secrets = [SIGNING, HASH, token.reveal(), session.token.reveal(), url.partition("sig=")[2], "planted-"]
        shown += [
            repr(data),
            repr(data.settings),
            repr(user),
            repr(session),
            repr(token),
            str(data.stats()),
            caplog.text,
        ]
        tables = admin.execute(
            "SELECT u::text FROM screenshot.users AS u UNION ALL SELECT s::text FROM screenshot.sessions AS s"
        )
        in_tables = str(tables.fetchall())
    assert [secret for secret in secrets for text in shown if secret in text] == []
    assert [secret for secret in secrets if secret in in_tables and secret not in (HASH, "planted-")] == []


@pytest.mark.parametrize("backend", ["s3", "azure"])
def test_the_cloud(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    """Keys of the cloud, and passwords of servers that are gone, are in no error, log or representation."""
    caplog.set_level(logging.DEBUG)
    settings: dict[str, Any] = {
        "storage_backend": backend,
        "aws_s3_bucket": "bucket",
        "aws_endpoint_url": "http://127.0.0.1:1",
        "aws_access_key_id": AWS,
        "aws_secret_access_key": AWS,
        "azure_storage_connection_string": f"AccountName=a;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:1/a",
        "storage_timeout": 0.5,
        "storage_retries": 0,
        "pool_timeout": 0.1,
        "pool_min_size": 0,
    }
    urls = (f"postgresql://x:{DATABASE}@127.0.0.1:1/x", f"redis://:{REDIS}@127.0.0.1:1")
    shown: list[str] = []
    with screenshot.open(*urls, **settings) as data:
        for call in (data.storage.initialize, data.storage.check, lambda: data.storage.upload(png(), "a.png")):
            with pytest.raises(SurfDataError) as caught:
                call()
            shown += [
                str(caught.value),
                repr(caught.value),
                repr(caught.value.__context__),
                repr(caught.value.__cause__),
            ]
        data.cache.set("a", 1)
        shown += [repr(data), repr(data.settings), repr(vars(data.storage)), str(data.health()), str(data.stats())]
    shown.append(caplog.text)
    assert [secret for secret in (AWS, DATABASE, REDIS, KEY) for text in shown if secret in text] == []
