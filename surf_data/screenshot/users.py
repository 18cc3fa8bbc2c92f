"""Where users are kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.crypto import new_token, token_digest
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.paging import uuid_keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.kernel.secret import Secret
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.enums import UserStatus
from surf_data.screenshot.fields import member
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.saving import checked, columns, save
from surf_data.screenshot.user import User

_COLUMNS = (
    "email", "first_name", "last_name", "display_name", "avatar", "password_hash", "status", "role", "auth_provider",
    "azure_id", "google_id", "github_id", "email_verified", "preferences", "metadata",
)  # fmt: skip
_TAKEN = {
    "users_email_key": ("email", "User already registered"),
    "users_azure_id": ("azure_id", "azure_id is taken"),
    "users_google_id": ("google_id", "google_id is taken"),
    "users_github_id": ("github_id", "github_id is taken"),
}
#: The most items that a list returns at once.
MAX_LIMIT = 1_000
_MAX_TOKEN_SECONDS = 30 * 86_400


class UserRepository:
    """Keeps users.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def save(self, user: User) -> User:
        """Store a new user, or the changes to a known one.

        Counts (``login_count``) and times of logins are not saved: `record_login` counts them in the row. Without a
        ``password_hash`` the stored one stays.

        Returns:
            The same user, with its id and times.

        Raises:
            ValidationError: a field is refused; ``User already registered`` when the e-mail address is taken in any
                spelling.
            TransactionConflict: it was changed since it was read.
            DatabaseError: it could not be stored.
        """
        checked(user, User)
        if user.password_hash is not None:
            validation.text("password_hash", user.password_hash, maximum=255)
        parameters = {**columns(user, _COLUMNS), "email_key": email_key(checked_email(user.email))}
        queries = screenshot_queries()
        taken: str | None = None
        try:
            save(self._executor, user, parameters, insert=queries.user_insert, update=queries.user_update)
        except ConstraintViolation as error:
            taken = error.constraint
            if taken not in _TAKEN:
                raise
        if taken is not None:
            field, problem = _TAKEN[taken]
            # Raised outside the handler: nothing is chained.
            raise ValidationError(problem, field=field)
        return user

    def get(self, user_id: UUID | str) -> User | None:
        """Return a user by id; ``None`` if there is none."""
        return screenshot_queries().user_by_id(self._executor, id=identifier("user_id", user_id))

    def find_by_email(self, email: str) -> User | None:
        """Return the user with an e-mail address, in any spelling; ``None`` if there is none."""
        return screenshot_queries().user_by_email(self._executor, email_key=email_key(checked_email(email)))

    def find_by_azure_id(self, azure_id: str) -> User | None:
        """Return the user with an account at Azure; ``None`` if there is none."""
        return screenshot_queries().user_by_azure_id(self._executor, azure_id=_subject("azure_id", azure_id))

    def find_by_google_id(self, google_id: str) -> User | None:
        """Return the user with an account at Google; ``None`` if there is none."""
        return screenshot_queries().user_by_google_id(self._executor, google_id=_subject("google_id", google_id))

    def find_by_github_id(self, github_id: str) -> User | None:
        """Return the user with an account at GitHub; ``None`` if there is none."""
        return screenshot_queries().user_by_github_id(self._executor, github_id=_subject("github_id", github_id))

    def find_by_preference(self, preference: Mapping[str, Any], limit: int = 100) -> list[User]:
        """Return users whose preferences contain a document, ``{"theme": "dark"}``, in no order.

        Arguments:
            preference: the document.
            limit: how many at the most, 1 to 1,000.
        """
        document = Json(validation.jsonb_object("preference", preference))
        return screenshot_queries().user_by_preference(
            self._executor, preference=document, row_limit=checked_limit(limit)
        )

    def list_users(
        self, status: UserStatus | str | None = None, *, after: User | Mapping[str, Any] | None = None, limit: int = 100
    ) -> list[User]:
        """Return users, the oldest first.

        Arguments:
            status: of this status only.
            after: the last user of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        moment, last = uuid_keyset("after", after)
        return screenshot_queries().user_list(
            self._executor,
            status=None if status is None else str(member("status", status, UserStatus)),
            after_created_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def get_password_hash(self, email: str) -> Secret | None:
        """Return what the password of an active user is compared with; ``None`` if there is no such user or hash."""
        stored = screenshot_queries().user_password_hash(self._executor, email_key=email_key(checked_email(email)))
        return None if stored is None else Secret(stored)

    def record_login(self, user_id: UUID | str, ip_address: str | None = None, user_agent: str | None = None) -> bool:
        """Count a login in the row; return whether there is such a user."""
        address = None if ip_address is None else validation.ip_address("ip_address", ip_address)
        agent = None if user_agent is None else validation.text("user_agent", user_agent, maximum=1_000, minimum=0)
        changed = screenshot_queries().user_login(
            self._executor, id=identifier("user_id", user_id), ip_address=address, user_agent=agent
        )
        return bool(changed)

    def set_preferences(self, user_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the preferences in the row; ``None`` as a value removes a key.

        Returns:
            The preferences now; ``None`` if there is no such user.
        """
        document = Json(validation.jsonb_object("changes", changes))
        merged: dict[str, Any] | None = screenshot_queries().user_preferences_merge(
            self._executor, id=identifier("user_id", user_id), changes=document
        )
        return merged

    def set_metadata(self, user_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the metadata in the row, as `set_preferences` does."""
        document = Json(validation.jsonb_object("changes", changes))
        merged: dict[str, Any] | None = screenshot_queries().user_metadata_merge(
            self._executor, id=identifier("user_id", user_id), changes=document
        )
        return merged

    def set_status(self, user_id: UUID | str, status: UserStatus | str) -> bool:
        """Give a user another status; return whether there is such a user."""
        chosen = str(member("status", status, UserStatus))
        return bool(screenshot_queries().user_status(self._executor, id=identifier("user_id", user_id), status=chosen))

    def begin_password_reset(self, email: str, seconds: int = 3_600) -> Secret | None:
        """Return a token for the user to choose another password with; its hash alone is stored.

        Arguments:
            email: the address in any spelling.
            seconds: for how long it holds, 1 to 2,592,000.

        Returns:
            The token, for an e-mail; ``None`` if there is no such active user. Do not let the visitor tell.
        """
        token, key = new_token(), email_key(checked_email(email))
        changed = screenshot_queries().user_reset_begin(
            self._executor, email_key=key, token=token_digest(token.reveal()), seconds=_token_seconds(seconds)
        )
        return token if changed else None

    def finish_password_reset(self, token: str, password_hash: str) -> UUID | None:
        """Replace the password hash for a token, once.

        Returns:
            The user; ``None`` if no user has this token, it was used, or has expired. Revoke the user's sessions.
        """
        given = validation.text("password_hash", password_hash, maximum=255)
        return screenshot_queries().user_reset_finish(self._executor, token=digest(token), password_hash=given)

    def begin_email_verification(self, user_id: UUID | str, seconds: int = 86_400) -> Secret | None:
        """Return a token that shows that an e-mail was received; ``None`` if there is no such user."""
        token = new_token()
        changed = screenshot_queries().user_verification_begin(
            self._executor,
            id=identifier("user_id", user_id),
            token=token_digest(token.reveal()),
            seconds=_token_seconds(seconds),
        )
        return token if changed else None

    def finish_email_verification(self, token: str) -> UUID | None:
        """Mark the e-mail address as verified for a token, once; return the user, or ``None`` for no such token."""
        return screenshot_queries().user_verification_finish(self._executor, token=digest(token))

    def delete(self, user_id: UUID | str) -> bool:
        """Delete a user with all projects, codes, images and sessions; return whether there was one.

        What it stored stays until its paths are deleted; what it did stays in the audit log, without its name.
        """
        return bool(screenshot_queries().user_delete(self._executor, id=identifier("user_id", user_id)))


def digest(token: object) -> str:
    """Return what is stored of a token: its SHA-256 in hexadecimal."""
    return token_digest(validation.text("token", token.reveal() if isinstance(token, Secret) else token, maximum=255))


def checked_limit(limit: object) -> int:
    """Return ``limit`` if a list may be as long: 1 to 1,000."""
    return validation.integer("limit", limit, minimum=1, maximum=MAX_LIMIT)


def _subject(field: str, value: object) -> str:
    return validation.text(field, value, maximum=255)


def _token_seconds(seconds: object) -> int:
    return validation.integer("seconds", seconds, minimum=1, maximum=_MAX_TOKEN_SECONDS)
