"""Accounts and profiles."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Record, User, UserProfile
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.postgres import Executor
from surf_data.kernel.secret import Secret

_TAKEN = {"users_email_key": "email", "users_username_key": "username"}

_PROFILE: dict[str, Callable[[str, object], Any]] = {
    "first_name": checks.text(255, minimum=0),
    "last_name": checks.text(255, minimum=0),
    "avatar": checks.optional(checks.text(2048)),
    "timezone": checks.time_zone,
    "preferences": checks.document,
    "settings": checks.document,
}
_ACCOUNT: dict[str, Callable[[str, object], Any]] = {
    "email": lambda field, value: checked_email(value, field),
    "username": checks.text(255),
    "password_hash": checks.text(255),
}
_NEW: dict[str, Callable[[str, object], Any]] = {"id": checks.identifier, **_ACCOUNT, **_PROFILE}
_CHANGES: dict[str, Callable[[str, object], Any]] = {
    **_ACCOUNT,
    "is_active": checks.flag,
    "email_verified": checks.flag,
    "last_login_at": checks.optional(checks.moment),
}
_NO_PROFILE = {"first_name": "", "last_name": "", "avatar": None, "timezone": "UTC"}


@attrs.frozen
class UserWithProfile(Record):
    """A new account and its profile; unpacks as the pair."""

    user: User
    profile: UserProfile

    def __iter__(self) -> Any:
        return iter((self.user, self.profile))


class UserService:
    """Registers users, finds them and changes them. A password hash leaves it by `get_password_hash` alone.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def create_user(self, user_data: Mapping[str, Any]) -> UserWithProfile:
        """Register a user with a profile, both or neither.

        Arguments:
            user_data: ``email``, ``username`` and ``password_hash`` (1 to 255 characters each); optionally ``id``
                (1 to 128), ``first_name``, ``last_name`` (0 to 255), ``avatar``, ``timezone`` (an IANA name, ``UTC``
                by default), ``preferences`` and ``settings`` (JSON objects). camelCase keys are taken as well.

        Returns:
            The user and the profile.

        Raises:
            ValidationError: the data is refused; or id, e-mail address or username is taken, in any spelling, and
                ``field`` says which. An account that exists is never changed.
            DatabaseError: it could not be stored.
        """
        checked = checks.record("user_data", user_data, _NEW)
        checks.require("user_data", checked, _ACCOUNT)
        profile: dict[str, Any] = {name: checked.get(name, default) for name, default in _NO_PROFILE.items()}
        for name in ("preferences", "settings"):
            profile[name] = checked.get(name) or checks.document(name, {})
        with self._database.transaction() as executor:
            user = self._stored(
                lambda: daylight_queries().user_insert(
                    executor,
                    id=checked.get("id") or checks.new_id("user"),
                    email=checked["email"],
                    email_key=email_key(checked["email"]),
                    username=checked["username"],
                    username_key=checks.username_key(checked["username"]),
                    password_hash=checked["password_hash"],
                )
            )
            if user is None:
                raise ValidationError("id is taken", field="id")
            return UserWithProfile(user, daylight_queries().profile_insert(executor, user_id=user.id, **profile))

    def get_user_by_id(self, user_id: str) -> User | None:
        """Return a user, ``None`` when there is none.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().user_by_id(self._database, user_id=checks.identifier("user_id", user_id))

    def get_user_by_email(self, email: str) -> User | None:
        """Return the user with an e-mail address in any spelling, ``None`` when there is none.

        Raises:
            ValidationError: ``email`` cannot be an address.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().user_by_email(self._database, email_key=email_key(checked_email(email)))

    def get_password_hash(self, email: str) -> Secret | None:
        """Return the password hash of the active user with an e-mail address, to be compared in constant time.

        Raises:
            ValidationError: ``email`` cannot be an address.
            DatabaseError: the question could not be answered.
        """
        stored = daylight_queries().user_password_hash(self._database, email_key=email_key(checked_email(email)))
        return None if stored is None else Secret(stored)

    def update_user(
        self, user_id: str, updates: Mapping[str, Any], *, expected_updated_at: object = None
    ) -> User | None:
        """Change a user: what ``updates`` names, and nothing else.

        Arguments:
            user_id: the user.
            updates: any of ``email``, ``username``, ``password_hash``, ``is_active``, ``email_verified`` and
                ``last_login_at``; camelCase keys are taken as well.
            expected_updated_at: change it only if it was last changed at this moment.

        Returns:
            The user as changed; ``None`` when there is none, or it was changed since.

        Raises:
            ValidationError: an argument is refused, or the e-mail address or username is taken.
            DatabaseError: it could not be changed.
        """
        checked = checks.record("updates", updates, _CHANGES)
        values: dict[str, Any] = {**dict.fromkeys(_CHANGES), **checked}
        values["email_key"] = email_key(checked["email"]) if "email" in checked else None
        values["username_key"] = checks.username_key(checked["username"]) if "username" in checked else None
        user_id = checks.identifier("user_id", user_id)
        expected = None if expected_updated_at is None else checks.moment("expected_updated_at", expected_updated_at)
        return self._stored(
            lambda: daylight_queries().user_update(
                self._database, user_id=user_id, changed=list(checked), expected_at=expected, **values
            )
        )

    def deactivate_user(self, user_id: str) -> bool:
        """Deactivate a user; from then on its age counts for retention.

        Returns:
            Whether there is such a user.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be changed.
        """
        return self.update_user(user_id, {"is_active": False}) is not None

    def get_user_profile(self, user_id: str) -> UserProfile | None:
        """Return the profile of a user, ``None`` when there is none.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().profile_by_user(self._database, user_id=checks.identifier("user_id", user_id))

    def update_user_profile(
        self, user_id: str, profile_updates: Mapping[str, Any], *, expected_updated_at: object = None
    ) -> UserProfile | None:
        """Change a profile: what ``profile_updates`` names, and nothing else.

        Arguments:
            user_id: the user.
            profile_updates: any of ``first_name``, ``last_name``, ``avatar``, ``timezone``, ``preferences`` and
                ``settings``; camelCase keys are taken as well.
            expected_updated_at: change it only if it was last changed at this moment.

        Returns:
            The profile as changed; ``None`` when there is none, or it was changed since.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be changed.
        """
        checked = checks.record("profile_updates", profile_updates, _PROFILE)
        expected = None if expected_updated_at is None else checks.moment("expected_updated_at", expected_updated_at)
        return daylight_queries().profile_update(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            changed=list(checked),
            expected_at=expected,
            **{**dict.fromkeys(_PROFILE), **checked},
        )

    def note_activity(self, user_id: str) -> bool:
        """Note that a user is active, which keeps the account from expiring; written once a day at the most.

        Returns:
            Whether it was written.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be written.
        """
        return bool(daylight_queries().user_touch(self._database, user_id=checks.identifier("user_id", user_id)))

    @staticmethod
    def _stored(store: Callable[[], User | None]) -> User | None:
        """Return what ``store`` returns; a unique value that is taken is a ValidationError."""
        try:
            return store()
        except ConstraintViolation as error:
            taken = _TAKEN.get(error.constraint or "")
            if taken is None:
                raise
        # Raised outside the handler, so that nothing is chained to it.
        raise validation.invalid(taken, "is taken")

    createUser = create_user  # noqa: N815 - the original's names
    getUserById = get_user_by_id  # noqa: N815
    getUserByEmail = get_user_by_email  # noqa: N815
    updateUser = update_user  # noqa: N815
    getUserProfile = get_user_profile  # noqa: N815
    updateUserProfile = update_user_profile  # noqa: N815
