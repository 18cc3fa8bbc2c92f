"""Imports the driver before any other module does, for a message that says what to install where it has no libpq."""

try:
    import psycopg
except ImportError as _error:
    raise ImportError(f'psycopg cannot be used here: pip install "surf-data[binary]" ({_error})') from _error

#: Whose libpq is used: ``binary`` or ``c``, with one of their own, or ``python``, with the system's.
IMPLEMENTATION = psycopg.pq.__impl__
