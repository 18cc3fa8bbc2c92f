"""Record specifications by the hash of their content, and see whether a file has changed.

It prints:

    hash: 4b9ce22d0b57
    unchanged: True
    stored content verified: verified
    a changed file: changed
    after the update: verified
    found by its words: waves.ttl
"""

import os

from surf_data.specify import (
    ProjectRepository,
    RDFSpecificationRepository,
    UserRepository,
    close_db,
    get_session,
    init_db,
)

CONTENT = '@prefix ex: <https://example.com/> .\nex:wave ex:says "the ocean is calm" .\n'

init_db(os.environ.get("DATABASE_URL", "embedded:"))
with get_session() as session:
    alice = UserRepository(session).create_user("alice", "alice@example.com", b"hashed")
    project = ProjectRepository(session).create_project("Surf API", "surf-api", alice.id)
    specifications = RDFSpecificationRepository(session)
    spec = specifications.create_specification(project.id, "waves.ttl", CONTENT, triple_count=1)
    print("hash:", spec.content_hash[:12])
    print("unchanged:", specifications.update_specification(spec.id, CONTENT) == spec)
    print("stored content verified:", specifications.verify_specification(spec.id).reason)
    changed = CONTENT.replace("calm", "rough")
    print("a changed file:", specifications.verify_specification(spec.id, changed).reason)
    specifications.update_specification(spec.id, changed)
    print("after the update:", specifications.verify_specification(spec.id, changed).reason)
    found = specifications.queries.find_specifications("rough oceans")
    print("found by its words:", ", ".join(each.file_path for each in found))
close_db()
