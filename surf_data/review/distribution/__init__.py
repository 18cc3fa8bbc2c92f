"""Where on a cluster each query would run, by what is declared of its tables and PostgreSQL's own trees."""
