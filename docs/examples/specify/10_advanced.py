"""Pages, filters, walks by keyset, many rows at once.

It prints:

    page 1 of 3: 10 of 25, next True
    page 3 of 3: 5 of 25, next False
    walked: 25
    three conditions: 5
    created 1000, updated 1000
    a wrong row: rows[1].email must be an e-mail address
    stored of it: 0
"""

import os
from datetime import UTC, datetime, timedelta

from surf_data import ValidationError
from surf_data.specify import CommandFilter, CommandRepository, UserRepository, close_db, get_session, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
with get_session() as session:
    commands = CommandRepository(session)
    commands.bulk_create(
        {
            "name": "specify check",
            "status": "failed" if number % 5 == 0 else "success",
            "exit_code": 2 if number % 5 == 0 else 0,
            "started_at": noon + timedelta(minutes=number),
        }
        for number in range(25)
    )
    for number in (1, 3):
        page = commands.queries.list_commands(page=number, per_page=10)
        print(f"page {page.page} of {page.pages}: {len(page.items)} of {page.total}, next {page.has_next}")
    walked, last = 0, None
    while portion := commands.queries.list_commands_after(after=last, limit=10):
        walked, last = walked + len(portion), portion[-1]
    print("walked:", walked)
    matching = CommandFilter(status=["failed", "timeout"], exit_code=2, since=noon)
    print("three conditions:", commands.queries.list_commands(matching).total)

    users = UserRepository(session)
    made = users.bulk_create(
        {"username": f"user{number}", "email": f"user{number}@example.com", "password_hash": b"hashed"}
        for number in range(1000)
    )
    updated = users.bulk_update([{"id": user.id, "full_name": user.username.title()} for user in made])
    print(f"created {len(made)}, updated {updated}")
    try:
        users.bulk_create(
            {"username": name, "email": email, "password_hash": b"hashed"}
            for name, email in (("zoe", "zoe@example.com"), ("yan", "nowhere"))
        )
    except ValidationError as error:
        print("a wrong row:", error)
    print("stored of it:", sum(users.get_by_username(name) is not None for name in ("zoe", "yan")))
close_db()
