"""What a DBA would object to in queries, indexes and migrations, and what somebody has accepted."""
