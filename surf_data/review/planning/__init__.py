"""Plans of queries for tables as large as they are declared to be in production."""
