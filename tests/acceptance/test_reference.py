"""The reference pages name everything that is public, as it is."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import surf_data
from benchmarks import document
from surf_data import backup, domain, embedded, lamps, migrate, retention
from surf_data.cli import domain_reference
from surf_data.kernel import cache, settings

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "reference" / "api.md").read_text("utf-8")
# What their callers use; values and errors are described by their attributes.
CLASSES: list[type[Any]] = [
    surf_data.DataLayer,
    surf_data.LampsDataLayer,
    surf_data.DatabaseManager,
    surf_data.PostgresActivityLogger,
    surf_data.PostgresLampRepository,
    surf_data.PostgresSessionRepository,
    surf_data.PostgresUserRepository,
    surf_data.RedisCacheManager,
    surf_data.RedisManager,
    cache.JsonCache,
    migrate.Runner,
]
FUNCTIONS: list[Callable[..., Any]] = [
    surf_data.open,
    surf_data.load_queries,
    backup.backup,
    backup.prepare_backup,
    backup.prepare_restore,
    backup.restore,
    embedded.start,
    lamps.email_key,
    migrate.measure_locks,
    migrate.new_file,
    migrate.check_reset,
    migrate.read_folder,
    migrate.reset,
    migrate.seed,
    migrate.verify,
    retention.maintain,
    retention.policies,
]
VALUES: list[Any] = [
    surf_data.ApiConfig,
    surf_data.Check,
    surf_data.Coordinates,
    surf_data.Health,
    surf_data.LampConfig,
    surf_data.QueryEvent,
    surf_data.SurfData,
]
# By `vars`, since what is imported lazily is no error.
ERRORS = [each for each in vars(surf_data).values() if isinstance(each, type) and issubclass(each, Exception)]


def signature(function: Callable[..., Any], name: str) -> str:
    """Return how ``function`` is called, without annotations."""
    called = inspect.signature(function)
    bare = [each.replace(annotation=each.empty) for each in called.parameters.values() if each.name != "self"]
    return f"{name}{called.replace(parameters=bare, return_annotation=called.empty)}"


def methods(owner: type[Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public methods of a class with their names."""
    for name, member in vars(owner).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            yield name, member


@pytest.mark.parametrize("name", surf_data.__all__)
def test_public_names_are_described(name: str) -> None:
    """A reader finds every public name in the Python reference."""
    assert re.search(rf"`{name}[`(]", API)


@pytest.mark.parametrize("owner", CLASSES, ids=lambda owner: owner.__name__)
def test_methods_are_described(owner: type[Any]) -> None:
    """The Python reference gives every public method with its arguments and their defaults."""
    calls = [signature(member, name) for name, member in methods(owner)]
    assert [call for call in (signature(owner, owner.__name__), *calls) if f"{call}`" not in API] == []


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_functions_are_described(function: Callable[..., Any]) -> None:
    """The Python reference gives every public function with its arguments and their defaults."""
    assert f"{signature(function, function.__name__)}`" in API


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_described(value: type[attrs.AttrsInstance]) -> None:
    """The Python reference names every attribute of a value in its row."""
    [row] = re.findall(rf"^\| `{value.__name__}` \|.*$", API, re.MULTILINE)
    assert [field.name for field in attrs.fields(value) if f"`{field.name}`" not in row] == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_errors_are_described(error: type[surf_data.SurfDataError]) -> None:
    """The Python reference names every attribute of an error where it describes the errors."""
    section = API.partition("\n## Errors\n")[2]
    assert [name for name in vars(error()) if f"`{name}`" not in section] == []


def settings_table() -> str:
    """Return the table of all settings, made from their declarations."""
    source = inspect.getsource(settings.Settings)
    meanings = {
        name: " ".join(line.strip().removeprefix("#: ") for line in comment.splitlines()).replace("``", "`")
        for comment, name in re.findall(r"((?: +#: .*\n)+) +(\w+):", source)
    }
    rows = ["| keyword | variable | default | takes | meaning |", "|---|---|---|---|---|"]
    for field in attrs.fields(settings.Settings):
        default = "" if field.default is None else f"`{field.default!r}`"
        variable = f"{settings.ENVIRONMENT_PREFIX}{field.name.upper()}"
        rows.append(
            f"| `{field.name}` | `{variable}` | {default} | {field.metadata['expected']} | {meanings[field.name]} |"
        )
    return "\n".join(rows)


def test_settings_are_described() -> None:
    """The reference of the settings is what the library accepts, with its defaults, ranges and meanings."""
    page = (DOCS / "reference" / "settings.md").read_text("utf-8")
    [table] = re.findall(r"^\| keyword .*\n(?:\|.*\n)+", page, re.MULTILINE)
    assert settings_table() == table.rstrip()


def test_domains_are_described() -> None:
    """The reference of the domains is what they declare, as the command on the page writes it."""
    command = [sys.executable, "-m", "surf_data.cli.domain_reference"]
    written = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert written == (DOCS / "reference" / "domains.md").read_text("utf-8")


def test_a_domain_that_keeps_everything() -> None:
    """Of a domain without retention no table says what is kept for how long."""
    mining = domain.find("mining")
    assert "| kept in | by | days | partitions |" in "\n".join(domain_reference._section(mining))
    assert "kept in" not in "\n".join(domain_reference._section(attrs.evolve(mining, retention=())))


def test_benchmarks_are_what_was_measured() -> None:
    """The page of the benchmarks and its charts are what the file of measurements gives."""
    expected = document.rendered(DOCS / "benchmarks.md")
    assert [path.name for path, text in expected.items() if text != path.read_text("utf-8")] == []


@pytest.mark.parametrize(
    "page",
    [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))],
    ids=lambda path: path.relative_to(DOCS.parent).as_posix(),
)
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who follows a link to another page, or to a heading on one, arrives."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return what a link may name on a page: its headings, as they are spelt in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
