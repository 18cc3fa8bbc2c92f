"""Users: accounts, what they are found by, their API keys."""

import unicodedata
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.crypto import new_api_key, token_digest
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.postgres import Executor
from surf_data.kernel.secret import Secret
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import User
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

# Shorter keys could be guessed.
_MIN_API_KEY = 16


def username_key(username: str) -> str:
    """Return the one spelling under which a name is registered: NFC, casefolded, stripped."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", username.strip()).casefold())


def _username(field: str, value: object) -> str:
    name = validation.text(field, value, maximum=100)
    if not username_key(name):
        raise validation.invalid(field, "must not be blank")
    return name


def _email(field: str, value: object) -> str:
    return checked_email(value, field)


def _api_key(field: str, value: object) -> Secret:
    key = fields.secret(field, value)
    if len(key) < _MIN_API_KEY:
        raise validation.invalid(field, f"must have {_MIN_API_KEY} to 255 characters")
    return Secret(key)


def _complete(document: Document) -> None:
    if "username" in document:
        document["username_key"] = username_key(document["username"])
    if "email" in document:
        document["email_key"] = email_key(document["email"])
    if "api_key" in document:
        if document["api_key"] is None:
            document["api_key"] = new_api_key().secret
        key = document["api_key"].reveal()
        document["api_key_hash"], document["api_key_preview"] = token_digest(key), key[-4:]


def _taken(executor: Executor, document: Document) -> str:
    keys = specify_queries().user_taken(
        executor, username_keys=[document["username_key"]], email_keys=[document["email_key"]]
    )
    if any(name == document["username_key"] for name, _ in keys):
        return "username"
    return "email" if keys else "api_key"


TABLE: Table[User] = Table(
    noun="a user",
    stem="user",
    row=User,
    checks={
        "username": _username,
        "email": _email,
        "password_hash": fields.password_hash,
        "full_name": fields.optional(fields.text(255, 0)),
        "api_key": _api_key,
        "is_active": fields.boolean,
        "is_admin": fields.boolean,
        "last_login_at": fields.optional(fields.moment),
        "meta": fields.document,
    },
    required=("username", "email", "password_hash"),
    defaults={"api_key": None, "is_active": True, "is_admin": False, "meta": {}},
    orders=("id", "-id", "username"),
    identity=("username",),
    unique={
        "users_username_key_key": "username",
        "users_email_key_key": "email",
        "users_api_key_hash_key": "api_key",
    },
    complete=_complete,
    taken=_taken,
    secret="api_key",  # noqa: S106 - the name of a column
)


class UserQueries(BaseQueries[User]):
    """Reads users."""

    table = TABLE

    def find_by_username(self, username: str) -> User | None:
        """Return the user with this name, in exactly this spelling; ``None`` when there is none.

        Raises:
            ValidationError: ``username`` cannot be a name.
            DatabaseError: it cannot be read.
        """
        name = _username("username", username)
        return self._one(
            specify_queries().user_by_username(self._executor, username=name, username_key=username_key(name))
        )

    def find_by_email(self, email: str) -> User | None:
        """Return the user with this address, in exactly this spelling; ``None`` when there is none.

        Raises:
            ValidationError: ``email`` cannot be an address.
            DatabaseError: it cannot be read.
        """
        address = checked_email(email)
        return self._one(specify_queries().user_by_email(self._executor, email=address, email_key=email_key(address)))

    def find_by_api_key(self, api_key: str | Secret) -> User | None:
        """Return the user who has this key, active or not; ``None`` when there is none. The key is found by its hash.

        Raises:
            ValidationError: ``api_key`` cannot be a key.
            DatabaseError: it cannot be read.
        """
        digest = token_digest(fields.secret("api_key", api_key))
        return self._one(specify_queries().user_by_api_key(self._executor, api_key_hash=digest))

    def _one(self, found: Any) -> User | None:
        return None if found is None else User(*found)

    def get_all(self, limit: int | None = None, offset: int = 0) -> list[User]:
        """Return users by ascending id; see `BaseQueries.get_all`."""
        skipped = validation.integer("offset", offset, minimum=0, maximum=validation.INT8_MAX)
        return self._listed(
            "list", is_active=None, is_admin=None, row_limit=fields.limit("limit", limit), row_offset=skipped
        )

    def get_active_users(self, limit: int | None = None) -> list[User]:
        """Return the users who are active, by ascending id.

        Arguments:
            limit: how many, 1 to 10,000; ``None`` means 10,000.

        Raises:
            ValidationError: ``limit`` is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed("list", is_active=True, is_admin=None, row_limit=fields.limit("limit", limit), row_offset=0)

    def get_admins(self) -> list[User]:
        """Return the administrators by ascending id, also those who are not active; 10,000 at the most.

        Raises:
            DatabaseError: they cannot be read.
        """
        return self._listed("list", is_active=None, is_admin=True, row_limit=fields.MAX_ROWS, row_offset=0)

    def search_users(self, query_str: str, limit: int = 10) -> list[User]:
        """Return users with a text in their name, address or full name, in any case.

        The one whose name it is comes first, then those whose names begin so, then the others by id.

        Arguments:
            query_str: the text, 1 to 200 characters; none of them is a wildcard.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        query = validation.text("query_str", query_str, maximum=200)
        return self._listed("search", query=query, pattern=fields.like(query), row_limit=fields.limit("limit", limit))


class UserRepository(BaseRepository[User]):
    """Creates users and changes them.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads users.
        self.queries: UserQueries = UserQueries(executor)
        super().__init__(executor, self.queries)

    def create_user(self, username: str, email: str, password_hash: bytes, **more: Any) -> User:
        """Create a user.

        Arguments:
            username: 1 to 100 characters; unique in any spelling: case, Unicode composition and surrounding space do
                not count.
            email: at most 255 characters; unique likewise.
            password_hash: what the caller made of the password, 1 to 1,024 bytes.
            more: ``full_name``, ``api_key`` (16 to 255 characters; a new one when left out), ``is_active``,
                ``is_admin``, ``last_login_at``, ``meta``.

        Returns:
            The user; the one time that ``api_key`` is there.

        Raises:
            ValidationError: an argument is refused, or ``username is taken``.
            DatabaseError: it could not be stored.
        """
        return self.create({"username": username, "email": email, "password_hash": password_hash, **more})

    def get_by_username(self, username: str) -> User | None:
        """Return the user with this name; see `UserQueries.find_by_username`."""
        return self.queries.find_by_username(username)

    def get_by_email(self, email: str) -> User | None:
        """Return the user with this address; see `UserQueries.find_by_email`."""
        return self.queries.find_by_email(email)

    def get_by_api_key(self, api_key: str | Secret) -> User | None:
        """Return the user who has this key; see `UserQueries.find_by_api_key`."""
        return self.queries.find_by_api_key(api_key)

    def update_last_login(self, user_id: int) -> User | None:
        """Record that a user has logged in; ``None`` when there is no such user.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be stored.
        """
        found = specify_queries().user_login(self._executor, row_id=fields.row_id("user_id", user_id))
        return None if found is None else User(*found)

    def deactivate(self, user_id: int) -> User | None:
        """Take a user out of use, so that its session tokens are no longer valid; ``None`` when there is none."""
        return self.update(user_id, {"is_active": False})

    def activate(self, user_id: int) -> User | None:
        """Put a user into use again; ``None`` when there is none."""
        return self.update(user_id, {"is_active": True})

    def rotate_api_key(self, user_id: int) -> Secret | None:
        """Give a user another API key; the one before is no longer valid.

        Returns:
            The key, which cannot be had again; ``None`` when there is no such user.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be stored.
        """
        key = new_api_key()
        changed = specify_queries().user_rotate_api_key(
            self._executor,
            row_id=fields.row_id("user_id", user_id),
            api_key_hash=key.digest,
            api_key_preview=key.preview,
        )
        return key.secret if changed else None

    def anonymise(self, user_id: int) -> bool:
        """Take out of a user, its commands and its audit rows all that tells who it is; counts stay as they are.

        For the owner of the tables: services may not change audit rows. Idempotent.

        Returns:
            ``False`` when there is no such user.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be stored; then nothing was changed.
        """
        row_id = fields.row_id("user_id", user_id)
        queries = specify_queries()
        with self._executor.transaction() as session:
            found = queries.user_anonymise(session, row_id=row_id)
            queries.token_forget(session, user_id=row_id)
            queries.command_anonymise(session, user_id=row_id)
            queries.audit_anonymise(session, user_id=row_id)
        return bool(found)
