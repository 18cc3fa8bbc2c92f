"""Open a database, and see that it is healthy and migrated.

It prints:

    healthy: True
    migrations: 2 of 2 applied
    schema valid: True
    pool: min 5, max 15
"""

import os

from surf_data.specify import MigrationManager, close_db, get_engine, health_check, init_db

# A server of its own, unless the environment names one.
init_db(os.environ.get("DATABASE_URL", "embedded:"), pool_size=5, max_overflow=10)
print("healthy:", health_check()["healthy"])
migrations = MigrationManager()
history = migrations.history(verbose=True)
print(f"migrations: {sum(each['state'] == 'applied' for each in history)} of {len(history)} applied")
print("schema valid:", migrations.verify()["valid"])
pool = get_engine().get_pool_status()
print(f"pool: min {pool['min_size']}, max {pool['max_size']}")
close_db()
