"""JSON values in Redis, without one word of any domain: versioned, with a time to live, computed once."""

from surf_data.kernel.cache.json_values import MAX_TTL_SECONDS, Entry
from surf_data.kernel.cache.loading import LoadOptions, checked_options
from surf_data.kernel.cache.store import JsonCache

__all__ = ["MAX_TTL_SECONDS", "Entry", "JsonCache", "LoadOptions", "checked_options"]
