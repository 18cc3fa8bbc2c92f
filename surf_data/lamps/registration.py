"""Registration of a lamp and its user, who share one row."""

from typing import Any
from uuid import UUID

import attrs

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.postgres import Executor
from surf_data.lamps.queries import lamp_queries

_REQUIRED = ("lamp_id", "email", "name", "password_hash", "location_index")
_OPTIONAL = ("brightness",)


@attrs.frozen(kw_only=True)
class Registration:
    """What is stored of a new lamp and its user, checked."""

    lamp_id: UUID
    email: str = attrs.field(repr=False)
    name: str
    password_hash: str = attrs.field(repr=False)
    location_index: int
    brightness: int

    @classmethod
    def from_mapping(cls, field: str, data: object) -> "Registration":
        """Return the registration that ``data`` describes.

        Raises:
            ValidationError: a key is missing or unknown, or a value is not what it has to be.
        """
        data = validation.mapping(field, data)
        validation.check_keys(field, data, required=_REQUIRED, optional=_OPTIONAL)
        return cls(
            lamp_id=validation.uuid("lamp_id", data["lamp_id"]),
            email=checked_email(data["email"]),
            name=validation.text("name", data["name"], maximum=255),
            password_hash=validation.text("password_hash", data["password_hash"], maximum=255),
            location_index=validation.integer("location_index", data["location_index"], minimum=0),
            brightness=validation.integer("brightness", data.get("brightness", 100), minimum=0, maximum=100),
        )

    def insert(self, executor: Executor) -> None:
        """Store the registration.

        Raises:
            ValidationError: ``User already registered`` when the e-mail address is taken in any spelling,
                ``Lamp already registered`` when the lamp is.
            DatabaseError: it could not be stored.
        """
        values: dict[str, Any] = {**attrs.asdict(self), "email_key": email_key(self.email)}
        taken = "email"
        try:
            if lamp_queries().lamp_insert(executor, **values):
                return
        except ConstraintViolation as error:
            if error.constraint != "lamp_registry_pkey":
                raise
            taken = "lamp_id"
        # Raised outside the handler, so that the refusal stands alone.
        raise ValidationError(f"{'Lamp' if taken == 'lamp_id' else 'User'} already registered", field=taken)
