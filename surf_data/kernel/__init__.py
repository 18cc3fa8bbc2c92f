"""What every domain stands on, without one word of any: statements, cache, settings, validation, secrets."""
