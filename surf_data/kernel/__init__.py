"""What every domain stands on, without one word of any: statements, cache, settings, validation, secrets."""

from surf_data.kernel import driver

__all__ = ["driver"]
