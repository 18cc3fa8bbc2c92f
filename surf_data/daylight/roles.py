"""Who may do what: permissions, roles that bundle them, users that have roles."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from surf_data.daylight import checks
from surf_data.daylight.errors import InsufficientPermissionsError
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Assignment, Permission, Record, Role
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor

T = TypeVar("T")

#: Where a role can be meant for.
SCOPES = ("global", "organization", "project")
#: The scope of an assignment that holds everywhere.
EVERYWHERE = "*"

_PROBLEMS = {
    "role_permissions_permission": ("there is no such permission", "permissions"),
    "role_inherits_inherited": ("there is no such role to inherit", "inherited_roles"),
    "role_inherits_other": ("a role cannot inherit itself", "inherited_roles"),
    "roles_name": ("name is taken", "name"),
    "user_roles_user": ("there is no such user", "user_id"),
    "user_roles_role": ("there is no such role, or it is assigned", "role_id"),
}


def _ids(field: str, value: object) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise validation.invalid(field, "must be a list of ids")
    return [checks.identifier(f"{field}[{number}]", each) for number, each in enumerate(value)]


_COLUMNS: dict[str, Callable[[str, object], Any]] = {
    "name": checks.text(255),
    "description": checks.text(1000, minimum=0),
    "scope": lambda field, value: checks.choice(field, value, SCOPES),
    "metadata": checks.document,
}
_LISTS: dict[str, Callable[[str, object], Any]] = {"permissions": _ids, "inherited_roles": _ids}
_PERMISSION: dict[str, Callable[[str, object], Any]] = {
    "id": checks.identifier,
    "name": checks.text(255),
    "description": checks.text(1000, minimum=0),
    "resource": checks.text(100),
    "action": checks.text(100),
    "conditions": checks.document,
}


@attrs.frozen
class Authorization(Record):
    """Whether something may be done."""

    allowed: bool
    #: Why not; ``None`` when it may.
    reason: str | None
    #: The roles that allow it.
    roles: list[str]
    #: What would be needed; nothing when it may.
    required_permissions: list[str]


class RoleService:
    """Stores permissions and roles, gives roles to users, and says what they may do.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def authorize(
        self,
        user_id: str,
        resource: str,
        action: str,
        context: Mapping[str, Any] | None = None,
        *,
        scope: str = EVERYWHERE,
    ) -> Authorization:
        """Return whether a user may do something, asked in one query.

        Arguments:
            user_id: the user; one that is not there or not active may do nothing.
            resource: ``users``, ``data``, ...
            action: ``read``, ``update``, ...
            context: what conditions of assignments and permissions are compared with: all of a condition must be
                in it.
            scope: where; assignments for everywhere count in any case.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        allowing, roles = daylight_queries().authorize(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            resource=validation.text("resource", resource, maximum=100),
            action=validation.text("action", action, maximum=100),
            scope=validation.text("scope", scope, maximum=checks.MAX_ID),
            context=checks.document("context", {} if context is None else context),
        )
        if allowing:
            held = [role for role in allowing if role]
            return Authorization(allowed=True, reason=None, roles=held, required_permissions=[])
        reason = f"no role of the user allows {resource}:{action}" if roles else "the user has no role here"
        needed = f"{resource}:{action}"
        return Authorization(allowed=False, reason=reason, roles=[], required_permissions=[needed])

    def require(
        self,
        user_id: str,
        resource: str,
        action: str,
        context: Mapping[str, Any] | None = None,
        *,
        scope: str = EVERYWHERE,
    ) -> None:
        """Refuse what `authorize` does not allow.

        Raises:
            InsufficientPermissionsError: it is not allowed.
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        answer = self.authorize(user_id, resource, action, context, scope=scope)
        if not answer.allowed:
            raise InsufficientPermissionsError(answer.reason)

    def create_permission(self, permission_data: Mapping[str, Any]) -> Permission:
        """Store a permission.

        Arguments:
            permission_data: ``name``, ``resource`` and ``action``, each of the last two ``*`` for all; optionally
                ``id`` (``resource:action`` by default), ``description`` and ``conditions`` (a JSON object).

        Raises:
            ValidationError: the data is refused, or ``id`` is taken.
            DatabaseError: it could not be stored.
        """
        checked = checks.record("permission_data", permission_data, _PERMISSION)
        checks.require("permission_data", checked, ("name", "resource", "action"))
        permission_id = checked.get("id") or checks.identifier("id", f"{checked['resource']}:{checked['action']}")
        stored: Permission | None = daylight_queries().permission_insert(
            self._database,
            id=permission_id,
            name=checked["name"],
            description=checked.get("description", ""),
            resource=checked["resource"],
            action=checked["action"],
            conditions=checked.get("conditions") or checks.document("conditions", {}),
        )
        if stored is None:
            raise validation.invalid("id", "is taken")
        return stored

    def list_permissions(self) -> list[Permission]:
        """Return all permissions, by id.

        Raises:
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().permission_list(self._database)

    def create_role(self, role_data: Mapping[str, Any]) -> Role:
        """Store a role.

        Arguments:
            role_data: ``name``; optionally ``id``, ``description``, ``permissions`` and ``inherited_roles`` (lists of
                ids), ``scope`` (``global``, ``organization`` or ``project``) and ``metadata`` (a JSON object).

        Raises:
            ValidationError: the data is refused; ``id`` or ``name`` is taken; a permission or role is not there; or
                the role would inherit itself.
            DatabaseError: it could not be stored.
        """
        checked = checks.record("role_data", role_data, {"id": checks.identifier, **_COLUMNS, **_LISTS})
        checks.require("role_data", checked, ("name",))
        role_id = checked.get("id") or checks.new_id("role")

        def store(executor: Executor) -> Role:
            if not daylight_queries().role_insert(
                executor,
                id=role_id,
                name=checked["name"],
                description=checked.get("description", ""),
                scope=checked.get("scope", "global"),
                metadata=checked.get("metadata") or checks.document("metadata", {}),
            ):
                raise validation.invalid("id", "is taken")
            return _with_lists(executor, role_id, checked)

        return self._within(store)

    def update_role(self, role_id: str, updates: Mapping[str, Any]) -> Role | None:
        """Change a role: what ``updates`` names, and nothing else; a list replaces the one that was.

        Returns:
            The role as changed; ``None`` when there is none.

        Raises:
            ValidationError: as `create_role`.
            DatabaseError: it could not be changed.
        """
        role_id = checks.identifier("role_id", role_id)
        checked = checks.record("updates", updates, {**_COLUMNS, **_LISTS})
        values: dict[str, Any] = {name: checked.get(name) for name in _COLUMNS}
        changed = [name for name in checked if name in _COLUMNS]

        def store(executor: Executor) -> Role | None:
            if not daylight_queries().role_update(executor, role_id=role_id, changed=changed, **values):
                return None
            return _with_lists(executor, role_id, checked)

        return self._within(store)

    def get_role(self, role_id: str) -> Role | None:
        """Return a role with its permissions and the roles that it inherits; ``None`` when there is none.

        Raises:
            ValidationError: ``role_id`` cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().role_by_id(self._database, role_id=checks.identifier("role_id", role_id))

    def delete_role(self, role_id: str) -> bool:
        """Delete a role that no user has and no role inherits; return whether there was one.

        Raises:
            ValidationError: ``role_id`` cannot be an id, or the role is in use.
            DatabaseError: it could not be deleted.
        """
        role_id = checks.identifier("role_id", role_id)
        try:
            return bool(daylight_queries().role_delete(self._database, role_id=role_id))
        except ConstraintViolation:
            pass
        # Raised outside the handler, so that nothing is chained to it.
        raise ValidationError("role_id is in use: it is assigned or inherited", field="role_id")

    def assign_role(
        self,
        user_id: str,
        role_id: str,
        *,
        scope: str = EVERYWHERE,
        assigned_by: str | None = None,
        expires_at: object = None,
        conditions: Mapping[str, Any] | None = None,
    ) -> None:
        """Give a user a role; again, it replaces what was given.

        Arguments:
            user_id: the user.
            role_id: the role.
            scope: where it holds: an organisation, a project, or everywhere.
            assigned_by: who gives it.
            expires_at: when it ends; never by default.
            conditions: what the context of a question must contain.

        Raises:
            ValidationError: an argument is refused, or there is no such user or role.
            DatabaseError: it could not be stored.
        """
        values: dict[str, Any] = {
            "user_id": checks.identifier("user_id", user_id),
            "role_id": checks.identifier("role_id", role_id),
            "scope": validation.text("scope", scope, maximum=checks.MAX_ID),
            "assigned_by": None if assigned_by is None else checks.identifier("assigned_by", assigned_by),
            "expires_at": None if expires_at is None else checks.moment("expires_at", expires_at),
            "conditions": checks.document("conditions", {} if conditions is None else conditions),
        }
        self._within(lambda executor: daylight_queries().role_assign(executor, **values))

    def revoke_role(self, user_id: str, role_id: str, scope: str | None = None) -> bool:
        """Take a role from a user, in one scope or in all; return whether the user had it.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be taken.
        """
        return bool(
            daylight_queries().role_revoke(
                self._database,
                user_id=checks.identifier("user_id", user_id),
                role_id=checks.identifier("role_id", role_id),
                scope=None if scope is None else validation.text("scope", scope, maximum=checks.MAX_ID),
            )
        )

    def get_user_roles(self, user_id: str) -> list[Assignment]:
        """Return the roles that a user has now; what has expired is left out.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().role_of_user(self._database, user_id=checks.identifier("user_id", user_id))

    def _within(self, work: Callable[[Executor], T]) -> T:
        """Return what ``work`` returns in a transaction; what the schema refuses is a ValidationError."""
        try:
            with self._database.transaction() as executor:
                return work(executor)
        except ConstraintViolation as error:
            if error.constraint not in _PROBLEMS:
                raise
            message, field = _PROBLEMS[error.constraint]
        # Raised outside the handler, so that nothing is chained to it.
        raise ValidationError(message, field=field)


def _with_lists(executor: Executor, role_id: str, checked: Mapping[str, Any]) -> Role:
    """Store the lists of a role that were given, and return the role."""
    queries = daylight_queries()
    if "permissions" in checked:
        queries.role_unset_permissions(executor, role_id=role_id, permissions=checked["permissions"])
        queries.role_set_permissions(executor, role_id=role_id, permissions=checked["permissions"])
    if "inherited_roles" in checked:
        queries.role_lock(executor)
        queries.role_unset_inherited(executor, role_id=role_id, inherited=checked["inherited_roles"])
        queries.role_set_inherited(executor, role_id=role_id, inherited=checked["inherited_roles"])
        if queries.role_inherits_cycle(executor, role_id=role_id):
            raise ValidationError("a role cannot inherit itself", field="inherited_roles")
    role: Role | None = queries.role_by_id(executor, role_id=role_id)
    assert role is not None, "it was stored in this transaction"  # noqa: S101
    return role
