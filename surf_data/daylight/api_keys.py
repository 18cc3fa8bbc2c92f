"""Keys of the API: shown once, stored as a hash, and what was done with them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, NamedTuple

from surf_data.daylight import api_calls, checks
from surf_data.daylight.api_calls import METHODS
from surf_data.daylight.patterns import fits
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import ApiKey, ApiKeyFound, ApiUsage
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.crypto import new_api_key, token_digest
from surf_data.kernel.postgres import Executor
from surf_data.kernel.secret import Secret

#: What a key begins with, so that scanners for leaked keys recognise it.
KEY_PREFIX = "dlt_"
STATUSES = ("active", "suspended", "revoked")
_BUCKETS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MAX_LIST = 100


def _texts(field: str, value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > _MAX_LIST:
        raise validation.invalid(field, f"must be a list of at most {_MAX_LIST} texts")
    return [validation.text(f"{field}[{number}]", each, maximum=500) for number, each in enumerate(value)]


def _methods(field: str, value: object) -> list[str]:
    return [checks.choice(field, each, METHODS) for each in _texts(field, value)]


def _networks(field: str, value: object) -> list[str]:
    networks = _texts(field, value)
    for number, each in enumerate(networks):
        try:
            ip_network(each, strict=False)
            continue
        except ValueError:
            problem = validation.invalid(f"{field}[{number}]", "must be an IP address or a network")
        # Raised outside the handler, so that nothing is chained to it.
        raise problem
    return networks


_CHANGES: dict[str, Callable[[str, object], Any]] = {
    "name": checks.text(255),
    "scopes": _texts,
    "allowed_endpoints": _texts,
    "allowed_methods": _methods,
    "ip_whitelist": _networks,
    "expires_at": checks.optional(checks.moment),
    "description": checks.optional(checks.text(1000, minimum=0)),
    "tags": checks.document,
}
_STATUS: dict[str, Callable[[str, object], Any]] = {
    "status": lambda field, value: checks.choice(field, value, STATUSES)
}
_NEW: dict[str, Callable[[str, object], Any]] = {
    **_CHANGES,
    "organization_id": checks.optional(checks.identifier),
    "environment": checks.text(50),
}


class NewKey(NamedTuple):
    """A key that was created; the secret cannot be had again."""

    api_key: ApiKey
    secret: Secret


class Validation(NamedTuple):
    """Whether a key that was presented is valid."""

    valid: bool
    api_key: ApiKey | None
    #: Why not; ``None`` when it is.
    reason: str | None


class ApiKeyService:
    """Creates keys, recognises them, ends them, and records what they were used for.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def create_api_key(self, user_id: str, request: Mapping[str, Any]) -> NewKey:
        """Create a key.

        Arguments:
            user_id: whose it is.
            request: ``name``; optionally ``scopes``, ``allowed_endpoints`` (exact, or with ``*``), ``allowed_methods``
                (GET and POST by default), ``ip_whitelist`` (addresses or networks), ``organization_id``,
                ``environment``, ``expires_at``, ``description`` and ``tags``. Empty lists allow all.

        Returns:
            What is stored, and the key itself: it cannot be had again.

        Raises:
            ValidationError: the request is refused, or there is no such user.
            DatabaseError: it could not be stored.
        """
        user_id = checks.identifier("user_id", user_id)
        checked = checks.record("request", request, _NEW)
        checks.require("request", checked, ("name",))
        new = new_api_key(KEY_PREFIX)
        values: dict[str, Any] = {
            **dict.fromkeys(_NEW),
            "scopes": [],
            "allowed_endpoints": [],
            "allowed_methods": ["GET", "POST"],
            "ip_whitelist": [],
            "environment": "production",
            "tags": checks.document("tags", {}),
            **checked,
        }
        try:
            api_key: ApiKey | None = daylight_queries().api_key_insert(
                self._database,
                id=checks.new_id("ak"),
                key_hash=new.digest,
                key_preview=f"...{new.preview}",
                user_id=user_id,
                created_by=user_id,
                **values,
            )
        except ConstraintViolation as error:
            if error.constraint != "api_keys_user":
                raise
            api_key = None
        if api_key is None:
            raise ValidationError("there is no such user", field="user_id")
        return NewKey(api_key, new.secret)

    def validate_api_key(self, key: str) -> Validation:
        """Return whether a key that was presented is valid, and which it is. Never raises for what was presented.

        Arguments:
            key: what was presented; keys that were imported by their SHA-256 may have any form.

        Raises:
            DatabaseError: the question could not be answered.
        """
        try:
            presented = validation.text("key", key, minimum=8, maximum=255)
        except ValidationError:
            return Validation(valid=False, api_key=None, reason="Invalid API key format")
        found: ApiKeyFound | None = daylight_queries().api_key_validate(
            self._database, key_hash=token_digest(presented)
        )
        if found is None:
            return Validation(valid=False, api_key=None, reason="API key not found")
        if found.status != "active":
            return Validation(valid=False, api_key=found, reason=f"API key is {found.status}")
        if found.is_expired:
            return Validation(valid=False, api_key=found, reason="API key has expired")
        return Validation(valid=True, api_key=found, reason=None)

    @staticmethod
    def check_permissions(api_key: ApiKey, endpoint: str, method: str, ip: object = None) -> bool:
        """Return whether a key may be used for a call; an empty list allows all.

        Arguments:
            api_key: a key that is valid.
            endpoint: what is called, compared exactly and with ``*`` in the stored patterns.
            method: in upper case.
            ip: from where; a key with an allow list needs one.

        Raises:
            ValidationError: ``ip`` is no address.
        """
        if api_key.allowed_endpoints and not any(fits(each, endpoint) for each in api_key.allowed_endpoints):
            return False
        if api_key.allowed_methods and method not in api_key.allowed_methods:
            return False
        if not api_key.ip_whitelist:
            return True
        if ip is None:
            return False
        address = validation.ip_address("ip", ip)
        return any(address in ip_network(each, strict=False) for each in api_key.ip_whitelist)

    def list_api_keys(self, user_id: str) -> list[ApiKey]:
        """Return the keys of a user, oldest first.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().api_key_list(self._database, user_id=checks.identifier("user_id", user_id))

    def update_api_key(self, key_id: str, user_id: str, updates: Mapping[str, Any]) -> ApiKey | None:
        """Change a key of a user: what ``updates`` names, and nothing else. A key that was revoked stays so.

        Returns:
            The key as changed; ``None`` when the user has no such key, or it was revoked.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be changed.
        """
        checked = checks.record("updates", updates, {**_CHANGES, **_STATUS})
        values: dict[str, Any] = {**dict.fromkeys([*_CHANGES, *_STATUS]), **checked}
        return daylight_queries().api_key_update(
            self._database,
            key_id=checks.identifier("key_id", key_id),
            user_id=checks.identifier("user_id", user_id),
            changed=list(checked),
            **values,
        )

    def revoke_api_key(self, key_id: str, user_id: str) -> bool:
        """Revoke a key of a user, indefinitely; return whether the user has it.

        Raises:
            ValidationError: an argument cannot be an id.
            DatabaseError: it could not be changed.
        """
        return self.update_api_key(key_id, user_id, {"status": "revoked"}) is not None

    def rotate_api_key(self, key_id: str, user_id: str, overlap_hours: float = 24) -> NewKey | None:
        """Create a successor with the same rights; the old key is valid until the overlap is over.

        Arguments:
            key_id: the old key.
            user_id: whose it is.
            overlap_hours: 0 to 8,760.

        Returns:
            The new key; ``None`` when the user has no such key, or it was revoked.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        hours = validation.number("overlap_hours", overlap_hours)
        if not 0 <= hours <= 8760:  # noqa: PLR2004 - a year
            raise validation.invalid("overlap_hours", "must be from 0 to 8760")
        new = new_api_key(KEY_PREFIX)
        api_key: ApiKey | None = daylight_queries().api_key_rotate(
            self._database,
            key_id=checks.identifier("key_id", key_id),
            user_id=checks.identifier("user_id", user_id),
            new_id=checks.new_id("ak"),
            key_hash=new.digest,
            key_preview=f"...{new.preview}",
            overlap_seconds=hours * 3600.0,
        )
        return None if api_key is None else NewKey(api_key, new.secret)

    def record_api_usage(self, calls: Iterable[Mapping[str, Any]]) -> int:
        """Record calls of the API and add them to the sums of their hours, both or neither.

        Arguments:
            calls: at most 10,000 mappings with ``api_key_id``, ``user_id``, ``endpoint``, ``method``, ``status_code``
                (100 to 599) and ``response_time`` (milliseconds); optionally ``id`` and ``occurred_at``, which make a
                repetition harmless, ``request_size``, ``response_size``, ``rate_limit_hit``, ``ip_address``,
                ``user_agent`` and ``error_code``.

        Returns:
            How many are new.

        Raises:
            ValidationError: a call is refused, and none is recorded; ``field`` says which: ``calls[3].method``.
            DatabaseError: they could not be recorded.
        """
        arrays = api_calls.arrays(calls)
        if not arrays["ids"]:
            return 0
        return daylight_queries().api_usage_record(self._database, **arrays) or 0

    def get_api_usage(self, key_id: str, since: object, until: object, bucket: str = "hour") -> list[ApiUsage]:
        """Return what a key was used for, oldest first; spans without a call are left out.

        Arguments:
            key_id: the key.
            since: from the hour that begins then or later.
            until: to the hours that begin before then.
            bucket: ``hour``, ``day`` or ``week``, in UTC.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        first, last = checks.moment("since", since), checks.moment("until", until)
        checks.ordered(first, last, ("since", "until"))
        return daylight_queries().api_usage_series(
            self._database,
            key_id=checks.identifier("key_id", key_id),
            since=first,
            until=last,
            bucket=_BUCKETS[checks.choice("bucket", bucket, _BUCKETS)],
        )
