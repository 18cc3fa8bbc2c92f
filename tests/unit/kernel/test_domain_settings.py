"""A domain extends the kernel's settings, and says by which variables they are known."""

from typing import Any

import attrs
import pytest

from surf_data import ConfigurationError
from surf_data.kernel.settings import Settings, Source, integer, load, load_as, setting, shared


@attrs.frozen(kw_only=True)
class ShopSettings(Settings):
    """What a shop can have set."""

    #: How many things a basket takes.
    basket: int = setting(10, integer, "a whole number from 1 to 99", 1, 99, variables=("BASKET", "OLD_BASKET"))


SHOP = Source(name="lamps", defaults={"application_name": "shop"}, variables={"database_url": ("DATABASE_URL",)})


def shop(environ: dict[str, str], **keywords: Any) -> ShopSettings:
    """Return the shop's settings. It poses as the lamps, since variables of other domains are passed over."""
    return load_as(ShopSettings, SHOP, environ, **keywords)


def test_a_domain_has_defaults_of_its_own() -> None:
    """What a domain declares counts where nothing else is given."""
    found = shop({})
    assert (found.basket, found.application_name, found.pool_max_size) == (10, "shop", 20)


@pytest.mark.parametrize(
    ("environ", "basket"),
    [
        ({"OLD_BASKET": "2"}, 2),
        ({"OLD_BASKET": "2", "BASKET": "3"}, 3),
        ({"OLD_BASKET": "2", "BASKET": "3", "SURF_DATA_LAMPS_BASKET": "4"}, 4),
    ],
)
def test_the_domain_s_own_variable_wins(environ: dict[str, str], basket: int) -> None:
    """Of several variables for a setting, the library's own counts first, then others in the order declared."""
    assert basket == shop(environ).basket


def test_a_keyword_wins_over_every_variable() -> None:
    """What the program says counts before its environment."""
    assert shop({"BASKET": "3", "SURF_DATA_LAMPS_BASKET": "4"}, basket=5).basket == 5


def test_a_variable_for_one_domain_wins_over_that_for_all() -> None:
    """The kernel's settings can be given for one domain alone."""
    environ = {"SURF_DATA_POOL_TIMEOUT": "1", "SURF_DATA_LAMPS_POOL_TIMEOUT": "2"}
    assert shop(environ).pool_timeout == 2.0
    assert load(environ).pool_timeout == 1.0


def test_a_variable_of_others_can_give_a_kernel_setting() -> None:
    """The requirement of a domain may fix the name of a variable."""
    url = shop({"DATABASE_URL": "dbname=x"}).database_url
    assert url is not None
    assert url.reveal() == "dbname=x"


@pytest.mark.parametrize(
    "variable", ["SURF_DATA_LAMPS_BASCET", "SURF_DATA_BASKET", "SURF_DATA_LAMPS_basket", "SURF_DATA_SHOPS_BASKET"]
)
def test_an_unknown_variable_is_refused(variable: str) -> None:
    """A variable with a typing error is not passed over, unless it belongs to another domain."""
    with pytest.raises(ConfigurationError, match=f"unknown environment variable {variable}"):
        shop({variable: "1"})


def test_the_variable_of_the_command_line_is_no_setting() -> None:
    """Which domain the command line is about does not keep a data layer from opening."""
    assert load({"SURF_DATA_DOMAIN": "lamps"}) == Settings()


def test_what_is_wrong_with_a_domain_s_setting_is_said_by_its_variable() -> None:
    """The error names the variable that holds the value, and not the value."""
    with pytest.raises(ConfigurationError) as caught:
        shop({"BASKET": "hunter2"})
    assert str(caught.value) == "BASKET must be a whole number from 1 to 99"


def test_shared_settings_are_the_other_s() -> None:
    """With another's connections the kernel's settings are its own, and those of the domain stay."""
    found = shared(shop({}, basket=5), load({}, pool_max_size=3))
    assert (found.basket, found.pool_max_size, found.application_name) == (5, 3, "surf_data")
