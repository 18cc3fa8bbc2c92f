"""What the application does with surf_data, on the database that SURF_DATA_DATABASE_URL names.

See the lamps' scenario: it leaves rows of its own behind and minds no others.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from surf_data import screenshot
from surf_data.screenshot import AuditAction, AuditLog, GeneratedCode, GeneratedImage, Project, User


def main() -> None:
    """Fail with an exception where something does not work."""
    with tempfile.TemporaryDirectory() as folder, screenshot.open(pool_min_size=1, local_storage_path=folder) as data:
        data.maintain()
        user = data.users.save(User(email=f"{uuid4()}@example.org", password_hash="-"))
        assert data.users.record_login(user.id, "203.0.113.7")
        assert data.users.set_preferences(user.id, {"theme": "dark"}) == {"theme": "dark"}
        facts = {"category": "data_modification", "description": "by hand", "is_success": True, "user_id": user.id}
        with data.transaction() as transaction:
            project = transaction.projects.save(Project(name="My Website", description="Waves", user_id=user.id))
            transaction.audit.record(AuditLog(action=AuditAction.PROJECT_CREATE, **facts))
        assert data.projects.add_tag(project.id, "landing page")
        assert [found.id for found in data.projects.search("website", user.id)] == [project.id]
        code = data.codes.save(GeneratedCode(provider="openai", project_id=project.id))
        assert data.codes.claim(lease_seconds=60)
        assert data.codes.complete(code.id, "<html>", prompt_tokens=12, completion_tokens=34)
        assert data.codes.rate(code.id, 5)
        assert data.codes.usage(user.id, datetime.now(UTC) - timedelta(days=1))
        assert [each.id for each in data.codes.history(project.id)] == [code.id]
        image = data.images.save(GeneratedImage(provider="dalle3", prompt="a wave", project_id=project.id))
        assert data.images.fail(image.id, "no waves")
        session = data.sessions.create(user.id, session_data={"cart": []})
        assert data.sessions.set_data(session.token, {"cart": [1]})
        assert data.sessions.get(session.token) is not None
        assert data.sessions.revoke_all(user.id) == 1
        data.audit.record_many([AuditLog(action=AuditAction.CODE_UPDATE, **facts)])
        assert len(data.audit.history(user.id)) == 2
        data.audit.seal()
        data.storage.initialize()
        path = f"{uuid4()}/notes.txt"
        data.storage.upload(b"waves", path, "text/plain", user_id=user.id)
        assert data.storage.download(path) == b"waves"
        assert data.storage.delete(path)
        data.storage.cleanup()


if __name__ == "__main__":
    main()
