"""Handles of reviewed queries, for ``custom_query`` in the place of a composed statement."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.mining import values

_Check = Callable[[str, object], Any]


@attrs.frozen(kw_only=True)
class NamedQuery:
    """A query of ``sql/mining``, by its name."""

    #: Its name.
    name: str
    #: What its parameters are, in the order in which a caller gives them, and what checks each.
    parameters: Mapping[str, _Check] = attrs.field(factory=dict, repr=False)
    #: The columns of its rows; a query without any is not for reading.
    columns: tuple[str, ...] = ()
    #: Parameters that the caller does not give.
    fixed: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    def bound(self, given: object) -> dict[str, Any]:
        """Return all parameters by name.

        Arguments:
            given: the values in order, or by name; ``None`` for none.

        Raises:
            ValidationError: one is missing, unknown or of another type; or the query is not for reading.
        """
        if not self.columns:
            raise ValidationError(f"custom_query: {self.name} writes; use the methods", field="custom_query.query")
        if isinstance(given, (list, tuple)):
            if len(given) != len(self.parameters):
                raise validation.invalid("custom_query.params", f"must be {', '.join(self.parameters)}")
            given = dict(zip(self.parameters, given, strict=True))
        named = validation.mapping("custom_query.params", given or {})
        validation.check_keys("custom_query.params", named, required=tuple(self.parameters))
        return {
            **{name: check(f"custom_query.params.{name}", named[name]) for name, check in self.parameters.items()},
            **self.fixed,
        }


_LOADER_COLUMNS = ("asset_guid", "site_guid", "latitude", "longitude")


def loader_type() -> str:
    """Return which type of asset is a loader: ``LOADER_ASSET_TYPE_GUID``, else ``loader``."""
    return values.guid("LOADER_ASSET_TYPE_GUID", os.environ.get("LOADER_ASSET_TYPE_GUID", "loader"))


def get_loaders_from_process_info_query() -> NamedQuery:
    """Return the query for the loaders of a site, where the idle service has seen them; parameter: the site."""
    return NamedQuery(
        name="loaders_from_process_info",
        parameters={"site_guid": values.guid},
        columns=_LOADER_COLUMNS,
        fixed={"asset_type_guid": loader_type()},
    )


def get_loaders_from_asset_idle_query() -> NamedQuery:
    """Return the query for the loaders of a site, where each stood idle last; parameters: the site, until when."""
    return NamedQuery(
        name="loaders_from_asset_idle",
        parameters={"site_guid": values.guid, "until": values.moment_or_text},
        columns=_LOADER_COLUMNS,
        fixed={"asset_type_guid": loader_type()},
    )


def get_regions_query() -> NamedQuery:
    """Return the query for the regions of an asset's site, the smallest first; parameter: the asset."""
    return NamedQuery(
        name="regions_of_asset", parameters={"asset_guid": values.guid}, columns=("region_guid", "region_points")
    )


def get_last_cycle_number_asset_query() -> NamedQuery:
    """Return the query for the number of an asset's last archived cycle; parameters: the asset, until when."""
    return NamedQuery(
        name="last_cycle_number",
        parameters={"asset_guid": values.guid, "until": values.moment_or_text},
        columns=("cycle_number",),
    )
