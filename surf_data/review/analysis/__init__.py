"""What PostgreSQL itself says of a query: parameters, columns, rows, tables, locks."""
