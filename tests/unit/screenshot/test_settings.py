"""Settings of the screenshot domain: URLs made of parts, and stores made of settings."""

from typing import Any

import pytest

from surf_data.data_layer import load_settings
from surf_data.errors import ConfigurationError
from surf_data.screenshot import DOMAIN, ScreenshotSettings
from surf_data.screenshot.settings import with_urls
from surf_data.screenshot.stores import object_store

PASSWORD = "planted-p@ss:w/ord?#%"
TLS = "sslmode=verify-full&sslrootcert=%2Fca.pem&sslcert=%2Fc.pem&sslkey=%2Fk.pem"
QUOTED = "planted-p%40ss%3Aw%2Ford%3F%23%25"


def load(environ: dict[str, str] | None = None, **keywords: Any) -> ScreenshotSettings:
    """Return settings with their URLs."""
    return with_urls(load_settings(ScreenshotSettings, DOMAIN, None, environ or {}, **keywords))


def revealed(secret: Any) -> str | None:
    """Return what a secret hides."""
    return None if secret is None else str(secret.reveal())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"DB_HOST": "db"}, "postgresql://postgres@db:5432/screenshot_to_code"),
        ({"DB_NAME": "shots"}, "postgresql://postgres@localhost:5432/shots"),
        (
            {"DB_HOST": "db", "DB_PORT": "6432", "DB_NAME": "a b", "DB_USERNAME": "me", "DB_PASSWORD": PASSWORD},
            f"postgresql://me:{QUOTED}@db:6432/a%20b",
        ),
        (
            {"DB_HOST": "db", "DB_SSL": "true"},
            "postgresql://postgres@db:5432/screenshot_to_code?sslmode=verify-full&sslrootcert=system",
        ),
        (
            {"DB_HOST": "db", "DB_SSL": "1", "DB_SSL_CA": "/ca.pem", "DB_SSL_CERT": "/c.pem", "DB_SSL_KEY": "/k.pem"},
            f"postgresql://postgres@db:5432/screenshot_to_code?{TLS}",
        ),
        ({"DB_HOST": "db", "DB_SSL": "false"}, "postgresql://postgres@db:5432/screenshot_to_code"),
        ({"DB_HOST": "db", "SURF_DATA_DATABASE_URL": "postgresql:///mine"}, "postgresql:///mine"),
    ],
)
def test_database_url(environ: dict[str, str], expected: str | None) -> None:
    """Host, port, name, user and password make a URL, unless there is one."""
    settings = load(environ)
    assert revealed(settings.database_url) == expected
    assert "planted" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"REDIS_HOST": "cache"}, "redis://cache:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_PASSWORD": PASSWORD}, f"redis://:{QUOTED}@cache:6379/0"),
        (
            {
                "REDIS_HOST": "cache",
                "REDIS_PORT": "7000",
                "REDIS_DATABASE": "2",
                "REDIS_USERNAME": "me",
                "REDIS_PASSWORD": "x",
                "REDIS_TLS": "yes",
            },
            "rediss://me:x@cache:7000/2",
        ),
        ({"REDIS_HOST": "cache", "REDIS_URL": "redis://other"}, "redis://other"),
    ],
)
def test_redis_url(environ: dict[str, str], expected: str | None) -> None:
    """Host, port, user and password make a URL, unless there is one."""
    settings = load(environ)
    assert revealed(settings.redis_url) == expected
    assert "planted" not in repr(settings)


def test_stores() -> None:
    """Each backend is made of its settings; secrets are in no representation."""
    key = "cGxhbnRlZA=="
    azure = load(
        {"STORAGE_BACKEND": "azure", "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=acc;AccountKey={key}"},
        azure_storage_cdn_url="https://cdn.example",
    )
    s3 = load(
        {
            "STORAGE_BACKEND": "s3",
            "AWS_ACCESS_KEY_ID": "planted-id",
            "AWS_SECRET_ACCESS_KEY": "planted-key",
            "AWS_S3_BUCKET": "shots",
            "AWS_REGION": "eu-north-1",
        }
    )
    assert object_store(azure).url("a") == "https://cdn.example/screenshots/a"
    assert object_store(s3).url("a") == "https://shots.s3.eu-north-1.amazonaws.com/a"
    shown = f"{azure!r} {s3!r} {vars(object_store(s3))!r} {vars(object_store(azure))!r}"
    assert "planted-" not in shown
    assert key not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PORT", "0"),
        ("DB_PORT", "x"),
        ("DB_SSL", "maybe"),
        ("REDIS_PORT", "65536"),
        ("REDIS_KEY_PREFIX", "a b"),
        ("SESSION_TTL", "0"),
        ("STORAGE_BACKEND", "ftp"),
        ("MAX_FILE_SIZE", "-1"),
        ("ALLOWED_FILE_TYPES", "png"),
    ],
)
def test_bad_variables(name: str, value: str) -> None:
    """A malformed variable is named, and its value is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        load({name: value})
    assert caught.value.setting == name


def test_types_of_the_original() -> None:
    """The types are read in the original's spelling, and named once."""
    assert load({"ALLOWED_FILE_TYPES": "image/png, image/jpg,image/jpeg"}).allowed_file_types == (
        "image/png",
        "image/jpeg",
    )
