"""Create users, find them, and take one out of use.

It prints:

    created alice (id 1)
    API key: 43 characters, then None
    found by key: alice
    login recorded: True
    deactivated: alice
    taken: username is taken
    search: alice, alicia
"""

import os

from surf_data import ValidationError
from surf_data.specify import UserRepository, close_db, get_session, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
with get_session() as session:
    users = UserRepository(session)
    alice = users.create_user("alice", "alice@example.com", b"hashed", full_name="Alice Smith")
    print(f"created {alice.username} (id {alice.id})")
    key = alice.api_key.reveal()
    print(f"API key: {len(key)} characters, then {users.get(alice.id).api_key}")
    print("found by key:", users.get_by_api_key(key).username)
    print("login recorded:", users.update_last_login(alice.id).last_login_at is not None)
    print("deactivated:", users.deactivate(alice.id).username)

with get_session() as session:
    users = UserRepository(session)
    try:
        users.create_user("Alice", "other@example.com", b"hashed")
    except ValidationError as error:
        print("taken:", error)
    users.create_user("alicia", "alicia@example.com", b"hashed")
    print("search:", ", ".join(user.username for user in users.queries.search_users("ali")))
close_db()
