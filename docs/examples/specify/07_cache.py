"""Keep texts for a time, and count how often they are read.

It prints:

    value: rendered page
    reads: 2
    after it has expired: None
    cleaned: 1
    left: 1
"""

import os
import time

from surf_data.specify import CacheRepository, close_db, get_engine, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
cache = CacheRepository(get_engine())
cache.set_cache("page:1", "rendered page", ttl_seconds=3600)
print("value:", cache.get_cache("page:1"))
cache.get_cache("page:1")
print("reads:", cache.queries.find_by_key("page:1").access_count)
cache.set_cache("page:2", "soon gone", ttl_seconds=0.01)
time.sleep(0.02)
print("after it has expired:", cache.get_cache("page:2"))
print("cleaned:", cache.cleanup_expired())
print("left:", cache.queries.count())
close_db()
