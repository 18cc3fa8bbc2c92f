"""What the Surf Lamp back end may ask of its data layer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol, Unpack
from uuid import UUID

from surf_data.kernel.cache import LoadOptions
from surf_data.lamps.types import LampConfig, SurfData


class ILampRepository(Protocol):
    """Lamp configuration and status."""

    def get_lamp_configuration(self, lamp_id: str | UUID) -> LampConfig | None: ...

    def get_lamp_configurations(self, lamp_ids: Iterable[str | UUID]) -> list[LampConfig]: ...

    def register_new_lamp(self, lamp_data: Mapping[str, Any]) -> bool: ...

    def get_all_active_lamps(self) -> list[LampConfig]: ...

    def iter_active_lamps(self, batch_size: int = 1000) -> Iterator[LampConfig]: ...

    def update_lamp_status(self, lamp_id: str | UUID, status: str) -> bool: ...


class IUserRepository(Protocol):
    """User accounts."""

    def register_user(self, user_data: Mapping[str, Any]) -> bool: ...

    def validate_user_credentials(self, email: str, password_hash: str) -> bool: ...


class IActivityLogger(Protocol):
    """What happened, for audit and statistics."""

    def log_activity(
        self,
        lamp_id: str | UUID | None,
        activity_type: str,
        status: str,
        details: Mapping[str, Any] | None = None,
        *,
        ip_address: str | None = None,
        user_agent: str | None = None,
    ) -> None: ...

    def log_activities(self, entries: Iterable[Mapping[str, Any]]) -> int: ...

    def get_lamp_activity_history(
        self, lamp_id: str | UUID, limit: int = 100, before: datetime | Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]: ...

    def get_activity_statistics(self, hours: int = 24) -> dict[str, Any]: ...


class ICacheManager(Protocol):
    """Surf data and its companions, cached. No method raises because of Redis: a failure is a miss or a no-op."""

    def get_surf_data_cache(self, location_index: int) -> SurfData | None: ...

    def get_or_load_surf_data(
        self,
        location_index: int,
        source: Callable[[], SurfData | Mapping[str, Any] | None],
        ttl_seconds: int = 1800,
        **options: Unpack[LoadOptions],
    ) -> SurfData | None: ...

    def get_surf_data_many(self, location_indexes: Iterable[int]) -> dict[int, SurfData]: ...

    def set_surf_data_cache(
        self, location_index: int, data: SurfData | Mapping[str, Any], ttl_seconds: int = 1800
    ) -> None: ...

    def warm_surf_data(self, data: Mapping[int, SurfData | Mapping[str, Any]], ttl_seconds: int = 1800) -> int: ...

    def invalidate_cache(self, location_index: int) -> None: ...

    def get_location_meta(self, location_index: int) -> dict[str, Any] | None: ...

    def get_or_load_location_meta(
        self,
        location_index: int,
        source: Callable[[], Mapping[str, Any] | None],
        ttl_seconds: int = 3600,
        **options: Unpack[LoadOptions],
    ) -> dict[str, Any] | None: ...

    def set_location_meta(self, location_index: int, meta: Mapping[str, Any], ttl_seconds: int = 3600) -> None: ...

    def invalidate_location_meta(self, location_index: int) -> None: ...

    def get_lamp_status(self, lamp_id: str | UUID) -> dict[str, Any] | None: ...

    def get_or_load_lamp_status(
        self,
        lamp_id: str | UUID,
        source: Callable[[], Mapping[str, Any] | None],
        ttl_seconds: int = 1800,
        **options: Unpack[LoadOptions],
    ) -> dict[str, Any] | None: ...

    def set_lamp_status(self, lamp_id: str | UUID, status: Mapping[str, Any], ttl_seconds: int = 1800) -> None: ...

    def invalidate_lamp_status(self, lamp_id: str | UUID) -> None: ...

    def get_system_stats(self) -> dict[str, Any] | None: ...

    def get_or_load_system_stats(
        self, source: Callable[[], Mapping[str, Any] | None], ttl_seconds: int = 60, **options: Unpack[LoadOptions]
    ) -> dict[str, Any] | None: ...

    def set_system_stats(self, stats: Mapping[str, Any], ttl_seconds: int = 60) -> None: ...

    def invalidate_system_stats(self) -> None: ...
