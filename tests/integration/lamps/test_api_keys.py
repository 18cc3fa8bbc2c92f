"""API keys at rest: encrypted for their row alone, opened by the keys of the settings, rotated by one command."""

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner

import surf_data
from surf_data.cli.commands import surf_data_command
from surf_data.errors import ConfigurationError, EncryptionError
from surf_data.kernel import crypto, settings

Connection = psycopg.Connection[Any]
Opened = Callable[[str | None], list[str | None]]

PLAIN = "planted-key-4711"
PLACE = "api_configuration|api_key|2"


@pytest.fixture
def stored(admin: Connection) -> Callable[[], list[str]]:
    """Return a function that returns what is stored of the one API key and of a second one."""
    admin.execute("UPDATE api_configuration SET api_key = %s WHERE id = 2", [PLAIN])
    admin.execute("UPDATE api_configuration SET api_key = %s WHERE id = 1", ["x" * 200])
    return lambda: [key for (key,) in admin.execute("SELECT api_key FROM api_configuration ORDER BY id DESC")]


@pytest.fixture
def api_keys(application_url: str) -> Opened:
    """Return a function that returns the API keys that a lamp is configured with, for a service with these keys."""

    def read(keys: str | None) -> list[str | None]:
        with surf_data.open(application_url, encryption_keys=keys, pool_min_size=1) as data:
            lamp_id = uuid4()
            lamp = {"lamp_id": lamp_id, "email": f"{lamp_id}@example.com", "name": "Kai", "password_hash": "-"}
            data.users.register_user({**lamp, "location_index": 0})
            found = data.lamps.get_lamp_configuration(lamp_id)
            assert found is not None
            assert PLAIN not in repr(found) + repr(data._reference.current)
            return [config.api_key for config in found.api_configs][::-1]

    return read


@pytest.fixture
def rotate(application_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs ``surf-data keys rotate`` as the application, and returns what it prints."""

    def run(keys: str, *options: str) -> str:
        monkeypatch.setenv("SURF_DATA_ENCRYPTION_KEYS", keys)
        command = ["--database-url", application_url, "keys", "rotate", *options]
        done = CliRunner().invoke(surf_data_command, command, catch_exceptions=False)
        monkeypatch.delenv("SURF_DATA_ENCRYPTION_KEYS")
        assert PLAIN not in done.output
        return done.output

    return run


def test_a_rotation_encrypts_what_is_there(
    stored: Callable[[], list[str]], api_keys: Opened, rotate: Callable[..., str]
) -> None:
    """Plain keys are read before it, encrypted by it, and read after it; with a new key they are encrypted anew."""
    first, second = crypto.new_key(), crypto.new_key()
    assert api_keys(first) == [PLAIN, "x" * 200]
    assert rotate(first, "--dry-run").startswith("2 would be encrypted, 0")
    assert stored()[0] == PLAIN
    assert rotate(first).startswith("2 encrypted, 0")
    sealed = stored()
    assert PLAIN not in "".join(sealed)
    assert api_keys(first) == [PLAIN, "x" * 200]
    assert json.loads(rotate(f"{second},{first}", "--json")) == {"encrypted": 0, "rotated": 2, "kept": 0}
    assert stored() != sealed
    assert api_keys(second) == [PLAIN, "x" * 200]
    assert rotate(f"{second},{first}") == "0 encrypted, 0 encrypted anew, 2 left as they are\n"


@pytest.mark.parametrize("keys", ["none", "another"])
def test_without_the_key_there_is_no_api_key(
    stored: Callable[[], list[str]], api_keys: Opened, rotate: Callable[..., str], keys: str
) -> None:
    """A service without the key gets an error that names the row, and not the ciphertext for a key."""
    rotate(crypto.new_key())
    with pytest.raises(EncryptionError, match=r"api_configuration\|api_key\|[12] ") as caught:
        api_keys(None if keys == "none" else crypto.new_key())
    assert caught.value.__context__ is None


def test_a_ciphertext_is_bound_to_its_row(
    admin: Connection, stored: Callable[[], list[str]], api_keys: Opened, rotate: Callable[..., str]
) -> None:
    """A role that can write rows cannot put one source's key where another source would get it."""
    key = crypto.new_key()
    rotate(key)
    admin.execute("UPDATE api_configuration SET api_key = (SELECT api_key FROM api_configuration WHERE id = 2)")
    with pytest.raises(EncryptionError, match="encrypted for another context"):
        api_keys(key)


def test_an_altered_ciphertext_opens_nowhere(refused: Callable[..., Any]) -> None:
    """One letter of it, or another key, and it does not open; the error says where and not what."""
    ring = crypto.KeyRing(settings.Secret(crypto.new_key()))
    sealed = ring.encrypt(PLACE, PLAIN)
    assert ring.decrypt(PLACE, sealed) == PLAIN
    altered = sealed[:60] + ("A" if sealed[60] != "A" else "B") + sealed[61:]
    for text in (altered, "fernet:", "fernet:é"):
        assert PLAIN not in str(refused(lambda text=text: ring.decrypt(PLACE, text), EncryptionError))
        assert not ring.is_newest(text)


@pytest.mark.parametrize("keys", ["planted", "", "planted,", "A" * 43 + "=,planted"])
def test_a_malformed_key_is_not_repeated(refused: Callable[..., Any], keys: str) -> None:
    """Opening with something else than keys says what it wants, and nothing of what it got."""
    error = refused(lambda: surf_data.open("dbname=x", encryption_keys=keys), ConfigurationError)
    assert "planted" not in str(error)
    assert error.setting == "encryption_keys"


def test_without_keys_there_is_nothing_to_rotate(application_url: str) -> None:
    """The command says which variable it needs."""
    done = CliRunner().invoke(surf_data_command, ["--database-url", application_url, "keys", "rotate"])
    assert str(done.exception) == "SURF_DATA_ENCRYPTION_KEYS is not set"


def test_the_command_makes_keys() -> None:
    """Each is another, and one that can be set."""
    keys = {CliRunner().invoke(surf_data_command, ["keys", "new"]).output.strip() for _ in range(2)}
    assert len(keys) == 2
    for key in keys:
        crypto.KeyRing(settings.Secret(key))


@pytest.mark.parametrize(("module", "extra"), [("cryptography", "crypto"), ("argon2", "passwords")])
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, refused: Callable[..., Any], module: str, extra: str
) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    make = crypto.new_key if extra == "crypto" else crypto.PasswordHasher
    assert f'pip install "surf-data[{extra}]"' in str(refused(make, ConfigurationError))
