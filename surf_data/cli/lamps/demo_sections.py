"""What the demo shows: each section does what its call says, and returns what came of it."""

from collections.abc import Callable, Sequence
from uuid import uuid4

import attrs
from rich.console import RenderableType

from surf_data.cli import tables
from surf_data.cli.lamps.demo_story import INGRID, KAI, KAI_RESPELT, LAMP_OWNERS, LEILANI, MATEO, NOOR, reports, surf
from surf_data.cli.lamps.statistics import activity as activity_tables
from surf_data.errors import ValidationError
from surf_data.lamps import LampConfig, LampsDataLayer, LampsTransaction


@attrs.frozen
class Section:
    """A part of the demo."""

    #: What it is about, in a few words.
    title: str
    #: What is shown, in a sentence.
    sentence: str
    #: The Python that does it.
    call: str
    #: What came of it.
    results: Sequence[RenderableType]


def servers(data: LampsDataLayer) -> Section:
    """Show where the servers are."""
    with data.database.connect() as connection:
        major, minor = divmod(connection.info.server_version, 10_000)
    info = {
        "PostgreSQL": f"{major}.{minor}",
        **{name: str(value) for name, value in data.database.connection_info().items()},
        "Redis": f"answers in {data.redis.ping().seconds * 1000:.1f} ms",
    }
    return Section(
        "Servers of its own",
        "A real PostgreSQL and a real Redis, started from Python wheels in a temporary folder; "
        "any tool that speaks PostgreSQL can join in while they run.",
        'with surf_data.open("embedded:") as data:\n    data.database.connection_info()',
        [tables.facts("server", info)],
    )


def migrations(data: LampsDataLayer) -> Section:
    """Apply the migrations."""
    data.migrations.up()
    return Section(
        "The schema",
        "The migrations are reviewed .sql files, each applied in one transaction with its record.",
        "data.migrations.up()",
        [tables.migrations(data.migrations.status())],
    )


def registration(data: LampsDataLayer) -> Section:
    """Register lamps and a user."""
    for owner in LAMP_OWNERS:
        data.lamps.register_new_lamp(owner.registration())
    data.users.register_user(LEILANI.registration())
    rows = [
        (owner.person, owner.email, owner.name, str(owner.location_index), f"{owner.brightness} %")
        for owner in (*LAMP_OWNERS, LEILANI)
    ]
    return Section(
        "Four lamps and a user",
        "A lamp and the entry that logs its registration are stored in one transaction: both or neither.",
        'data.lamps.register_new_lamp({"email": "kai@example.com", ...})\n'
        'data.users.register_user({"email": "Leilani@Example.com", ...})',
        [tables.table("owner", "e-mail", "lamp", "beach", "bright", rows=rows, right={"beach", "bright"})],
    )


def accounts(data: LampsDataLayer) -> Section:
    """Refuse an address that is taken, and check credentials."""
    answer = "registered"
    try:
        data.users.register_user({**LEILANI.registration(), "lamp_id": uuid4(), "email": KAI_RESPELT})
    except ValidationError as error:
        answer = f"{type(error).__name__}: {error}"
    validate = data.users.validate_user_credentials
    rows = [
        (f"register {KAI_RESPELT} again", answer),
        (f"log in as {KAI_RESPELT}", str(validate(KAI_RESPELT, KAI.password_hash))),
        ("the same with Noor's password", str(validate(KAI_RESPELT, NOOR.password_hash))),
        ("log in as nobody@example.com", str(validate("nobody@example.com", KAI.password_hash))),
    ]
    return Section(
        "One address, one account",
        "Kai's address is Kai's in every spelling. A unique key sees to it, so of two who register at once one wins.",
        "data.users.register_user({...})\ndata.users.validate_user_credentials(email, password_hash)",
        [tables.table("tried", "answer", rows=rows)],
    )


def configurations(data: LampsDataLayer) -> Section:
    """Read one configuration, then several."""
    one = data.lamps.get_lamp_configuration(KAI.lamp_id)
    many = data.lamps.get_lamp_configurations([owner.lamp_id for owner in LAMP_OWNERS])
    sources = () if one is None else one.api_configs
    return Section(
        "What the lamps are to do",
        "One lamp with the sources that it asks for surf data, in their order; then several lamps in one round trip.",
        "data.lamps.get_lamp_configuration(lamp_id)\ndata.lamps.get_lamp_configurations(lamp_ids)",
        [
            tables.table(
                "Kai's sources",
                "place",
                "API key",
                rows=[
                    (source.website_name, source.city["name"], "set, not shown" if source.api_key else "none")
                    for source in sources
                ],
            ),
            tables.table(
                "lamp", "beach", "where", "bright", rows=[_configuration(config) for config in many], right={"bright"}
            ),
        ],
    )


def _configuration(config: LampConfig) -> tuple[str, str, str, str]:
    names = {owner.lamp_id: owner.name for owner in LAMP_OWNERS}
    place = config.coordinates
    where = "" if place is None else f"{place.lat:.2f} N, {-place.lon:.2f} W"
    return names[config.lamp_id], config.location_name, where, f"{config.brightness} %"


def statuses(data: LampsDataLayer) -> Section:
    """Take a lamp out of use and back."""
    rows = []
    for status in ("inactive", "active"):
        known = data.lamps.update_lamp_status(NOOR.lamp_id, status)
        config = data.lamps.get_lamp_configuration(NOOR.lamp_id)
        answer = "None" if config is None else f"LampConfig for {config.location_name}"
        rows.append((status, str(known), answer, str(len(data.lamps.get_all_active_lamps()))))
    return Section(
        "Out of use and back",
        "Noor unplugs a lamp and plugs it in again: a lamp that is not active has no configuration.",
        'data.lamps.update_lamp_status(lamp_id, "inactive")',
        [tables.table("status", "known", "get_lamp_configuration", "active lamps", rows=rows, right={"active lamps"})],
    )


def surf_cache(data: LampsDataLayer) -> Section:
    """Warm the cache and read it."""
    beaches = surf()
    stored = data.cache.warm_surf_data(beaches)
    found = data.cache.get_surf_data_many([2, 4, 3, 0, 1])
    rows = [
        (
            entry.location_name,
            *("" if value is None else f"{value:g}" for value in (entry.wave_height_m, entry.wave_period_s)),
            "" if entry.wind_speed_mps is None else f"{entry.wind_speed_mps:g}",
            "" if entry.age_minutes is None else f"{entry.age_minutes:.0f} min",
            "yes" if entry.is_complete else "no",
        )
        for entry in found.values()
    ]
    missed = len(data.cache.get_surf_data_many([INGRID.location_index])) == 0
    rows.append(("Santa Cruz", "", "", "", "", "a miss" if missed else "found"))
    headings = ("beach", "waves m", "period s", "wind m/s", "age", "complete")
    return Section(
        "Surf data, cached",
        f"What the sea does at {stored} beaches goes to Redis in one round trip and comes back in another; a beach "
        "without data is a miss, and so is every beach while Redis is down.",
        "data.cache.warm_surf_data({2: SurfData(...), ...}, ttl_seconds=1800)\n"
        "data.cache.get_surf_data_many([2, 4, 3, 0, 1])",
        [tables.table(*headings, rows=rows, right=set(headings[1:5]))],
    )


def activity(data: LampsDataLayer) -> Section:
    """Log one entry, then many."""
    data.activity.log_activity(KAI.lamp_id, "brightness", "success", {"to": 45}, ip_address="203.0.113.7")
    stored = data.activity.log_activities(reports())
    history = data.activity.get_lamp_activity_history(KAI.lamp_id, limit=4)
    rows = [
        (f"{entry['created_at']:%H:%M:%S.%f}"[:-3], entry["activity_type"], entry["status"], str(entry["details"]))
        for entry in history
    ]
    return Section(
        "What happened",
        f"One entry by INSERT, {stored} by COPY, all of them or none; then the latest of Kai's lamp, newest first.",
        'data.activity.log_activity(lamp_id, "brightness", "success", {"to": 45})\n'
        "data.activity.log_activities(entries)\n"
        "data.activity.get_lamp_activity_history(lamp_id, limit=4)",
        [tables.table("time", "type", "status", "details", rows=rows)],
    )


def statistics(data: LampsDataLayer) -> Section:
    """Count the activity."""
    return Section(
        "Activity in figures",
        "StatementStats by the server in one pass over the log.",
        "data.activity.get_activity_statistics(hours=3)",
        list(activity_tables(data.activity.get_activity_statistics(hours=3))),
    )


def failure(data: LampsDataLayer) -> Section:
    """Let a transaction fail."""
    rows = [_mateo("before", data)]
    answer = "committed"
    try:
        with data.transaction() as tx:
            tx.lamps.update_lamp_status(MATEO.lamp_id, "inactive")
            tx.activity.log_activity(MATEO.lamp_id, "moved", "success", {"to": "Honolulu"})
            rows.append(_mateo("inside, before the failure", tx))
            tx.users.register_user({**MATEO.registration(), "lamp_id": uuid4(), "email": KAI.email})
    except ValidationError as error:
        answer = f"{type(error).__name__}: {error}"
    rows.append(_mateo(f"after {answer}", data))
    return Section(
        "A failure leaves nothing",
        "Mateo's lamp is put out of use and that is logged, then the third statement of the transaction fails: "
        "nothing of the first two is left.",
        "with data.transaction() as tx:\n"
        '    tx.lamps.update_lamp_status(lamp_id, "inactive")\n'
        '    tx.activity.log_activity(lamp_id, "moved", "success", {"to": "Honolulu"})\n'
        '    tx.users.register_user({... "email": "kai@example.com"})',
        [tables.table("moment", "Mateo's lamp", "entries", rows=rows, right={"entries"})],
    )


def _mateo(when: str, data: LampsDataLayer | LampsTransaction) -> tuple[str, str, str]:
    active = data.lamps.get_lamp_configuration(MATEO.lamp_id) is not None
    entries = data.activity.get_lamp_activity_history(MATEO.lamp_id)
    return when, "active" if active else "inactive", str(len(entries))


def figures(data: LampsDataLayer) -> Section:
    """Show what the library knows of its own work."""
    stats = data.stats()
    return Section(
        "The library's own figures",
        "Every query is known by the name in its .sql file; these are the six slowest, then the pool and the cache.",
        "data.stats()",
        [
            tables.queries(stats["queries"], most=6),
            tables.beside(tables.facts("pool", stats["pool"]), tables.facts("cache", stats["cache"])),
        ],
    )


def health(data: LampsDataLayer) -> Section:
    """Ask whether all is well."""
    return Section(
        "Is all well?",
        "What a load balancer would ask; the database decides, for the cache is never the reason for an outage.",
        "data.health()",
        [tables.health(data.health())],
    )


#: The parts of the demo, in their order: each builds on what those before it stored.
SECTIONS: tuple[Callable[[LampsDataLayer], Section], ...] = (
    servers,
    migrations,
    registration,
    accounts,
    configurations,
    statuses,
    surf_cache,
    activity,
    statistics,
    failure,
    figures,
    health,
)
