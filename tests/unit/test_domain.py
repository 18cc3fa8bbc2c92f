"""Domains are found by name, and say what is wrong with what they declare."""

from pathlib import Path

import attrs
import pytest

from surf_data import ConfigurationError, Domain, Retention, Settings, domain
from surf_data.lamps import DOMAIN


def test_a_domain_of_the_package_is_found() -> None:
    """Each name of the package's own domains leads to what that domain declares."""
    assert domain.find("lamps") is DOMAIN
    assert [domain.find(name).name for name in domain.NAMES] == list(domain.NAMES)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """Who mistypes a domain reads its right name."""
    with pytest.raises(ConfigurationError, match="unknown domain 'lamsp': did you mean lamps"):
        domain.find("lamsp")


def test_a_name_like_no_other_is_answered_with_all() -> None:
    """Who asks for something else reads what there is."""
    with pytest.raises(ConfigurationError, match="there are lamps"):
        domain.find("xyz")


@pytest.mark.parametrize("name", ["", "Lamps", "two words", "9", "a" * 40, "lamps;"])
def test_a_name_is_one_that_schemas_and_variables_can_have(name: str) -> None:
    """A domain's name becomes a part of schemas, tags and variables, so nothing else is accepted."""
    with pytest.raises(ConfigurationError, match="domain's name"):
        attrs.evolve(DOMAIN, name=name)


@pytest.mark.parametrize("table", ["activity_log", "a.b.c", ""])
def test_a_retention_names_the_schema(table: str) -> None:
    """A policy whose table depended on the search path could delete another table's rows."""
    with pytest.raises(ConfigurationError, match=r"must be schema\.table"):
        Retention(table=table, by="created_at")


@pytest.mark.parametrize("keep_days", [-1, 36_501, True])
def test_a_retention_keeps_rows_for_some_days(keep_days: int) -> None:
    """A policy that could not be carried out is refused where it is declared."""
    with pytest.raises(ConfigurationError, match="keep_days must be 0 to 36,500"):
        Retention(table="shop.sale", by="created_at", keep_days=keep_days)


def test_a_retention_divides_time_in_ways_that_are_known() -> None:
    """Maintenance creates partitions of a day, a week or a month, so nothing else is accepted."""
    with pytest.raises(ConfigurationError, match="partition must be day, week, month or None"):
        Retention(table="shop.sale", by="created_at", partition="year")  # type: ignore[arg-type]


def test_a_domain_of_another_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed names its domain by an entry point; it comes after those of this package."""
    metadata = tmp_path / "shop-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{domain.ENTRY_POINTS}]\nshop = shop_domain:SHOP\n", encoding="utf-8")
    (tmp_path / "shop_domain.py").write_text("SHOP = 'the shop'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert domain.names()[-1] == "shop"
    assert domain.find("shop") == "the shop"


def test_what_a_domain_need_not_say() -> None:
    """The opener is beside the queries, and clients are named after the domain."""
    shop = Domain(name="shop", title="A shop", schemas=("shop",), settings=Settings, queries="shop.queries:all_queries")
    assert shop.opener == "shop:open"
    assert shop.application_name == "surf_data.shop"


def test_a_domain_opens_and_has_queries() -> None:
    """Tools reach a domain's functions and its data layer by what it declares."""
    assert callable(DOMAIN.query_functions().lamp_configuration)
    with DOMAIN.open("dbname=nowhere", pool_min_size=0) as data:
        assert data.settings.application_name == "surfboard_lamp_backend"
