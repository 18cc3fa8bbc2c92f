"""Where the SQL is found."""

from pathlib import Path

import attrs
import pytest

from surf_data.kernel import resources
from surf_data.kernel.postgres import packaged_queries
from surf_data.lamps import DOMAIN


@pytest.mark.parametrize("name", ["sql", "migrations"])
def test_a_checkout_has_its_sql_at_the_top(name: str) -> None:
    """In a checkout, the folders beside the package are used, so that an edit counts at once."""
    assert Path(__file__).parents[3] / name == resources.directory(name)


def test_a_wheel_has_its_sql_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package uses the folder that it carries, whatever lies beside it."""
    package = tmp_path / "surf_data"
    for folder in (package / "_sql", tmp_path / "sql"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert package / "_sql" == resources.directory("sql")


def test_a_missing_folder_is_named() -> None:
    """What is nowhere is an error with its name."""
    with pytest.raises(FileNotFoundError, match="pictures"):
        resources.directory("pictures")


def test_a_domain_of_another_package_brings_its_folders(tmp_path: Path) -> None:
    """The folders of a domain are called after it, in this package or at the root that it declares."""
    shop = attrs.evolve(DOMAIN, name="shop", root=tmp_path)
    assert resources.sql_folder(shop) == tmp_path / "sql" / "shop"
    assert resources.migrations_folder(shop) == tmp_path / "migrations" / "shop"
    assert resources.sql_folder(DOMAIN) == resources.directory("sql") / "lamps"


def test_packaged_queries_take_the_name_of_their_folder() -> None:
    """A folder below sql/ is loaded under its own name, or under the one that is given."""
    migrate = packaged_queries("kernel/migrate").driver_adapter.sources
    session = packaged_queries("kernel/session", namespace="kernel").driver_adapter.sources
    assert {name.partition(".")[0] for name in migrate} == {"migrate"}
    assert {name.partition(".")[0] for name in session} == {"kernel"}
