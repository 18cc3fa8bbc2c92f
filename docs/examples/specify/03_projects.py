"""Create projects, archive one, and find them.

It prints:

    created: surf-api
    active projects of alice: surf-api, surf-lamp
    after archiving: surf-lamp
    counted for alice: 1
    search "surf": surf-api, surf-lamp
    words "showing waves": surf-lamp
"""

import os

from surf_data.specify import ProjectRepository, UserRepository, close_db, get_session, init_db

init_db(os.environ.get("DATABASE_URL", "embedded:"))
with get_session() as session:
    users, projects = UserRepository(session), ProjectRepository(session)
    alice = users.create_user("alice", "alice@example.com", b"hashed")
    api = projects.create_project("Surf API", "surf-api", alice.id, description="Waves by HTTP")
    projects.create_project("Surf lamp", "surf-lamp", alice.id, description="A lamp that shows waves")
    print("created:", api.slug)
    print("active projects of alice:", ", ".join(each.slug for each in projects.get_user_projects(alice.id)))
    projects.archive(api.id)
    print("after archiving:", ", ".join(each.slug for each in projects.get_user_projects(alice.id)))
    print("counted for alice:", users.get(alice.id).active_projects_count)
    print('search "surf":', ", ".join(each.slug for each in projects.queries.search_projects("surf")))
    print('words "showing waves":', ", ".join(each.slug for each in projects.queries.find_projects("showing waves")))
close_db()
