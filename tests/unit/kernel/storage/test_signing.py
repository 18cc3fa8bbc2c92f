"""Signed URLs of local objects: what is signed is allowed, and nothing else."""

import pytest

from surf_data.errors import ConfigurationError, SignedUrlExpired, SignedUrlInvalid, ValidationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import SignedAccess, UrlSigner

OLD, NEW = "old-key-0123456789-0123456789-0123", "new-key-0123456789-0123456789-0123"
BASE = "https://example.org/objects"


def signer(keys: str = NEW, now: float = 1000.0, base: str = BASE) -> UrlSigner:
    """Return a signer whose clock stands still."""
    return UrlSigner(Secret(keys), base, clock=lambda: now)


def test_a_signed_url() -> None:
    """A signed URL allows to read one object until its time: whole, by path, and by HEAD."""
    url = signer().sign("2026/11/a b.png", 60)
    expected = SignedAccess(key="2026/11/a b.png", method="GET", expires_at=1060)
    assert url.startswith(f"{BASE}/2026/11/a%20b.png?v=1&k=")
    assert signer().verify("GET", url) == expected
    assert signer().verify("HEAD", url.removeprefix("https://example.org")) == expected
    assert signer(now=1059.9).verify("GET", url) == expected


def test_expiry() -> None:
    """A URL is refused from its last second on; a clock that is behind refuses none."""
    url = signer().sign("a.png", 60)
    with pytest.raises(SignedUrlExpired):
        signer(now=1060).verify("GET", url)
    assert signer(now=0).verify("GET", url).key == "a.png"


@pytest.mark.parametrize("wrong", [-3600, 3600])
def test_a_signer_whose_clock_is_wrong(wrong: int) -> None:
    """The verifier's clock decides, with no leeway: a URL lives longer or shorter by as much as the signer's is off."""
    url = signer(now=100_000 + wrong).sign("a.png", 7_200)
    ends = 107_200 + wrong
    assert signer(now=ends - 1).verify("GET", url).expires_at == ends
    with pytest.raises(SignedUrlExpired):
        signer(now=ends).verify("GET", url)
    # Not longer than the clock is behind: expired when it is made.
    with pytest.raises(SignedUrlExpired):
        signer(now=100_000).verify("GET", signer(now=96_400).sign("a.png", 3_600))


def _changes() -> list[str]:
    url = signer().sign("a/b.png", 60)
    base, _, query = url.partition("?")
    parts = query.split("&")
    changed = [f"{base}?{'&'.join([*parts[:place], *parts[place + 1 :]])}" for place in range(len(parts))]
    changed += [f"{url}&{part}" for part in parts]
    changed += [
        url.replace("e=1060", "e=9999"),
        url.replace("e=1060", "e=+1060"),
        url.replace("e=1060", "e=01060"),
        url.replace("m=GET", "m=PUT"),
        url.replace("v=1", "v=2"),
        url.replace("/a/b.png", "/a/c.png"),
        url.replace("/a/b.png", "/a//b.png"),
        url.replace("/a/b.png", "/a/../a/b.png"),
        url.replace("/a/b.png", "/a%2Fb.png"),
        url.replace("/a/b.png", "/a/b.pn%67"),
        url.replace("/a/b.png", "/%ff"),
        url.replace("/objects/", "/other/"),
        f"{url}&x=1",
        f"{url}#top",
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        f"{url}=",
        f"{base}?{'&'.join(reversed(parts))}",
        base,
        "",
        "http://[",
    ]
    return changed


@pytest.mark.parametrize("url", _changes())
def test_forgery(url: str) -> None:
    """Whatever is changed, removed, repeated or added makes a URL invalid."""
    with pytest.raises(SignedUrlInvalid) as caught:
        signer().verify("GET", url)
    assert type(caught.value) is SignedUrlInvalid
    assert caught.value.__context__ is None


def test_another_method() -> None:
    """A URL to read does not allow to write, nor one to write to read."""
    with pytest.raises(SignedUrlInvalid):
        signer().verify("PUT", signer().sign("a.png", 60))
    url = signer().sign("a.png", 60, method="PUT")
    assert signer().verify("PUT", url).method == "PUT"
    with pytest.raises(SignedUrlInvalid):
        signer().verify("GET", url)


def test_rotation() -> None:
    """URLs signed with an older key that is still listed are valid; with one that is not, they are forged."""
    url = signer(OLD).sign("a.png", 60)
    assert signer(f"{NEW}, {OLD}").verify("GET", url).key == "a.png"
    with pytest.raises(SignedUrlInvalid):
        signer(NEW).verify("GET", url)


@pytest.mark.parametrize("keys", ["", "short", f"{NEW},short"])
def test_short_keys(keys: str) -> None:
    """A key of less than 32 bytes is refused and not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        signer(keys)
    assert caught.value.setting == "storage_signing_keys"
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("base", ["", "/objects", "ftp://example.org", "https://example.org?x=1", "https://a/#b"])
def test_bad_base(base: str) -> None:
    """A public URL that cannot carry signatures is refused."""
    with pytest.raises(ConfigurationError) as caught:
        signer(base=base)
    assert caught.value.setting == "storage_public_url"


@pytest.mark.parametrize("seconds", [0, -1, 604_801, True, 1.5, "60", None])
def test_bad_seconds(seconds: object) -> None:
    """A URL lives from one second to seven days."""
    with pytest.raises(ValidationError) as caught:
        signer().sign("a.png", seconds)  # type: ignore[arg-type]
    assert caught.value.field == "expires_in"
