"""Where archives are, and what is said when an extra is not installed."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surf_data.daylight.alerting import channels
from surf_data.daylight.errors import ApiGatewayError, InvalidApiKeyError
from surf_data.daylight.retention.tables import archive_place
from surf_data.daylight.settings import DaylightSettings
from surf_data.errors import ConfigurationError
from surf_data.kernel.archive import write
from surf_data.kernel.monitoring import AppriseChannel, PrometheusCollector, SnsChannel, instrument, spans
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import LocalStore


def test_archives_are_in_a_folder_or_a_bucket(tmp_path: Path) -> None:
    """A folder is created; a bucket may have a prefix."""
    assert archive_place(DaylightSettings(archive_url=str(tmp_path / "new"))).store.backend == "local"
    assert (tmp_path / "new").is_dir()
    keys: dict[str, Any] = {"archive_access_key_id": Secret("a"), "archive_secret_access_key": Secret("b")}
    place = archive_place(DaylightSettings(archive_url="s3://bucket/day/light/", **keys))
    assert (place.store.backend, place.store.place, place.prefix) == ("s3", "bucket", "day/light/")
    assert archive_place(DaylightSettings(archive_url="s3://bucket", **keys)).prefix == ""


@pytest.mark.parametrize(
    ("modules", "call"),
    [
        ("compression.zstd backports.zstd", lambda store: write(store, "x", [b"x"])),
        ("prometheus_client", lambda _: PrometheusCollector(None)),  # type: ignore[arg-type]
        ("opentelemetry", lambda _: instrument(None)),  # type: ignore[arg-type]
        pytest.param("opentelemetry", lambda _: spans(), id="spans"),
        ("apprise", lambda _: AppriseChannel("x", Secret("json://x")).check()),
        ("boto3", lambda _: SnsChannel("arn:aws:sns:us-east-1:1:x").check()),
    ],
)
def test_an_extra_that_is_missing_is_named(
    modules: str, call: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install."""
    for module in modules.split():
        monkeypatch.setitem(sys.modules, module, None)
    store = LocalStore(tmp_path)
    store.initialize()
    with pytest.raises(ConfigurationError, match=r"pip install \"surf-data\["):
        call(store)


def test_errors_have_their_status() -> None:
    """The original's codes; no channels outside of production."""
    assert (InvalidApiKeyError().status_code, ApiGatewayError("x").status_code) == (401, 500)
    assert channels(DaylightSettings()) == []
