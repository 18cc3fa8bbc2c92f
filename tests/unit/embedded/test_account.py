"""Which account runs the embedded servers, and what it may do."""

import os
import pwd
from pathlib import Path

import pytest

from surf_data.embedded import account
from surf_data.embedded.account import Account, account_for
from surf_data.errors import EmbeddedServerError

ME = pwd.getpwuid(os.geteuid())


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the choice made as it is for root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> pwd.struct_passwd:
    """Return an account that is not root, to which every folder seems to belong."""
    entry = pwd.getpwnam("nobody")
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        fields = list(real(path, **options))
        fields[4:6] = entry.pw_uid, 12
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "stat", stat)
    return entry


def test_an_ordinary_user_is_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who is not root runs the servers itself, even without a name."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert account_for(tmp_path) == Account(name="54321")


def test_root_takes_an_unprivileged_account(root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For root it is the first account of those that exist."""
    monkeypatch.setattr(account, "UNPRIVILEGED", ("no-such-account", "nobody"))
    nobody = pwd.getpwnam("nobody")
    expected = Account(name="nobody", user=nobody.pw_uid, group=nobody.pw_gid)
    assert (account_for(None), account_for(Path("/nowhere"))) == (expected, expected)


def test_root_without_any_other_account(root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For root on a system without such an account the error says what to create."""
    monkeypatch.setattr(account, "UNPRIVILEGED", ("no-such-account",))
    with pytest.raises(EmbeddedServerError, match="create an account named no-such-account"):
        account_for(None)


def test_root_takes_the_owner(root: None, owner: pwd.struct_passwd, tmp_path: Path) -> None:
    """For root it is the owner of the folder, if that is not root."""
    assert account_for(tmp_path) == Account(name=owner.pw_name, user=owner.pw_uid, group=owner.pw_gid)


def test_root_takes_the_owner_of_the_data(
    root: None, owner: pwd.struct_passwd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For root it is the owner of existing data even if it has no name, but not of a mere folder without one."""

    def nameless(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.setattr(account, "UNPRIVILEGED", ("root",))
    assert account_for(tmp_path) == Account(name="root", user=0, group=0)
    (tmp_path / "postgres").mkdir()
    assert account_for(tmp_path) == Account(name=str(owner.pw_uid), user=owner.pw_uid, group=12)


def test_access(tmp_path: Path) -> None:
    """An account can do what the kernel lets it do."""
    me = Account(name=ME.pw_name)
    assert me.can("-x", tmp_path)
    assert not me.can("-x", tmp_path / "missing")


def test_giving(tmp_path: Path) -> None:
    """What is given belongs to the account; what one has already stays as it is."""
    for receiver in (Account(name="me"), Account(name="me", user=ME.pw_uid, group=ME.pw_gid)):
        receiver.give(tmp_path)
        assert tmp_path.stat().st_uid == ME.pw_uid


def test_programs_that_do_not_run(tmp_path: Path) -> None:
    """A program that cannot be executed is an error that names it and the account."""
    me = Account(name="me")
    with pytest.raises(EmbeddedServerError, match="the account me cannot run /nowhere: No such file"):
        me.run(["/nowhere"])
    with (tmp_path / "log").open("wb") as log, pytest.raises(EmbeddedServerError, match="the account me cannot run"):
        me.spawn(["/nowhere"], log)
