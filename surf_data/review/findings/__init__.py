"""What a DBA would object to in queries, indexes and migrations, and what may stay."""
