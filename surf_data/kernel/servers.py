"""The embedded servers, where settings ask for them."""

from contextlib import ExitStack
from pathlib import Path

import attrs

from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings

_EMBEDDED = "embedded:"


def with_servers(settings: Settings, opened: ExitStack) -> Settings:
    """Start the embedded servers if the settings ask for them.

    Arguments:
        settings: where the servers are; ``database_url`` may be ``embedded:``.
        opened: stops them when it is closed.

    Returns:
        The settings that point at them.

    Raises:
        EmbeddedServerError: they cannot be started.
    """
    url = "" if settings.database_url is None else settings.database_url.reveal()
    if not url.startswith(_EMBEDDED):
        return settings
    # An extra: imported only where it is asked for.
    from surf_data import embedded  # noqa: PLC0415

    folder = url.removeprefix(_EMBEDDED)
    servers = embedded.start(Path(folder) if folder else None, redis=settings.redis_url is None)
    opened.callback(servers.stop)
    redis_url = settings.redis_url if servers.redis_url is None else Secret(servers.redis_url)
    return attrs.evolve(settings, database_url=Secret(servers.database_url), redis_url=redis_url)
