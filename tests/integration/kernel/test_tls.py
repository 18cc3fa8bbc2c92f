"""TLS: a server that cannot prove its identity gets neither password nor statement, PostgreSQL and Redis alike."""

import secrets
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import surf_data
from rig import PostgresServer, RedisServer
from surf_data.embedded.account import account_for
from surf_data.embedded.folder import Folder
from surf_data.embedded.postgres import initialize, installations, usable_programs
from surf_data.kernel.postgres import connector

PASSWORD = "planted-over-tls"


@attrs.frozen
class Authority:
    """A certificate authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> "Authority":
        """Return a new authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, certified(key, "an authority", key, authority=True))

    def sign(self, folder: Path, host: str) -> None:
        """Write a certificate for ``host`` and its key, ``server.pem`` and ``server.key``."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = certified(key, host, self.key, issuer=self.certificate.subject)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "server.key").write_bytes(private)
        (folder / "server.key").chmod(0o600)

    def write(self, path: Path) -> Path:
        """Write the authority's own certificate, for those who trust it."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path


def certified(
    key: ec.EllipticCurvePrivateKey,
    name: str,
    signing: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name | None = None,
    authority: bool = False,
) -> x509.Certificate:
    """Return a certificate for ``name`` that holds for an hour."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        # Python 3.13 wants to know which key has signed, and for what.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if authority:
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False)
        usage |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only", "digital_signature"), False)
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    return builder.sign(signing, hashes.SHA256())


class Terminator:
    """Where TLS ends before a real server, on a port of this machine.

    Arguments:
        server: the path of the server's socket.
        folder: where ``server.pem`` and ``server.key`` are.
        answer: what a PostgreSQL client hears when it asks for TLS: ``S`` yes, ``N`` no; a Redis client does not ask.
    """

    def __init__(self, server: str, folder: Path, answer: bytes = b"") -> None:
        self._server = server
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        #: The port.
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening, and wait for the clients to leave."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=[client]))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        # What a client does not trust it leaves in the middle of a handshake.
        with suppress(OSError), client:
            if self._answer:
                # Length and code: PostgreSQL's manual, "Message Formats", SSLRequest.
                assert client.recv(8) == (8).to_bytes(4) + (80877103).to_bytes(4)
                client.sendall(self._answer)
            if self._answer != b"N":
                with self._context.wrap_socket(client, server_side=True) as outside:
                    self._relay(outside)

    def _relay(self, outside: ssl.SSLSocket) -> None:
        with socket.socket(socket.AF_UNIX) as inside:
            inside.connect(self._server)
            answers = threading.Thread(target=_copy, args=[inside, outside])
            answers.start()
            _copy(outside, inside)
            answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Return the authority that the servers' certificates are of."""
    return Authority.new()


@pytest.fixture(scope="module")
def certificates(authority: Authority) -> Iterator[Path]:
    """Return the folder with the servers' certificate, which is for ``localhost``."""
    with tempfile.TemporaryDirectory() as folder:
        authority.sign(Path(folder), "localhost")
        yield Path(folder)


@pytest.fixture
def end_tls(certificates: Path) -> Iterator[Callable[..., int]]:
    """Return a function that lets TLS end before a server, and returns the port.

    The servers of the embedded extra are built without TLS, so it ends before them, as at a pooler or a load balancer.
    """
    with ExitStack() as stack:

        def start(server: str, answer: bytes = b"") -> int:
            terminator = Terminator(server, certificates, answer)
            stack.callback(terminator.close)
            return terminator.port

        yield start


# PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL that asks ``kai`` for a password, and lets ``leo`` in without."""
    account = account_for(None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surf_data-test-")))
        folder.chmod(0o755)
        account.give(folder)
        programs = usable_programs(installations()[18], account, folder)
        initialize(Folder(folder, account), programs, durable=False)
        (folder / "postgres").rename(folder / "data")
        stack.callback(shutil.rmtree, folder / "data")
        (folder / "data" / "pg_hba.conf").write_text("local all kai scram-sha-256\nlocal all all trust\n")
        server = PostgresServer(folder, programs, account)
        stack.callback(server.stop)
        server.start()
        server.execute(f"CREATE ROLE kai LOGIN PASSWORD '{PASSWORD}'")
        server.execute("CREATE ROLE leo LOGIN")
        yield server


@pytest.fixture
def reach(
    postgres: PostgresServer, end_tls: Callable[..., int], authority: Authority, tmp_path: Path
) -> Callable[..., str | None]:
    """Return a function that connects with full verification, and returns why it fails, ``None`` when it does not."""

    def reason(
        user: str, *, host: str = "localhost", trusted: Authority = authority, answer: bytes = b"S", more: str = ""
    ) -> str | None:
        port = end_tls(postgres.path, answer)
        guards = f"sslmode=verify-full&sslrootcert={trusted.write(tmp_path / 'ca.pem')}&require_auth=scram-sha-256"
        url = f"postgresql://{user}:{PASSWORD}@{host}:{port}/surf_data?hostaddr=127.0.0.1&gssencmode=disable&{guards}"
        with surf_data.open(url + more, pool_min_size=0) as data:
            return _why(data)

    return reason


def test_the_right_server_is_let_in(reach: Callable[..., str | None]) -> None:
    """With a certificate for its name of the trusted authority, and a password on both sides, it works."""
    assert reach("kai") is None


def test_another_host_s_certificate(reach: Callable[..., str | None]) -> None:
    """A server with a good certificate for another name is refused before it gets a password."""
    assert reach("kai", host="db.example.com") == "TLS failed"


def test_an_unknown_authority_s_certificate(reach: Callable[..., str | None]) -> None:
    """A certificate for the right name that another authority has signed is refused."""
    assert reach("kai", trusted=Authority.new()) == "TLS failed"


def test_a_server_that_wants_no_password(reach: Callable[..., str | None]) -> None:
    """A server that lets everybody in cannot show that it knows the password, and is refused."""
    assert reach("leo") == "authentication failed"


def test_somebody_in_the_middle(reach: Callable[..., str | None]) -> None:
    """A server with a good certificate that passes the login on to the real one is refused by channel binding."""
    assert reach("kai", more="&channel_binding=require") == "authentication failed"


def test_a_server_without_tls(reach: Callable[..., str | None]) -> None:
    """A server that would go on in plain text is refused."""
    assert reach("kai", answer=b"N") == "TLS failed"


def start_with_tls(server: PostgresServer, address: str, switch: str = "on") -> None:
    """Start a PostgreSQL of a build with TLS on an address of this machine."""
    settings = [f"ssl={switch}", "ssl_cert_file=server.pem", "ssl_key_file=server.key", f"listen_addresses={address}"]
    server.start(*(word for setting in settings for word in ("-c", setting)))


@pytest.fixture(scope="module")
def tls_postgres(certificates: Path) -> Iterator[tuple[str, PostgresServer]]:
    """Start a PostgreSQL that speaks TLS itself, and return the address of this machine that it listens on."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not found:
        pytest.skip("no PostgreSQL with TLS is installed: those of the wheels are built without")
    programs, account = max(found, key=lambda path: float(path.parent.name)), account_for(None)
    # One of many, so that the usual port is free there.
    address = f"127.{secrets.randbelow(200) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surf_data-test-")))
        folder.chmod(0o755)
        account.give(folder)
        made = account.run([str(programs / "initdb"), "--username=surf_data", "--no-sync", str(folder / "data")])
        assert made.returncode == 0, made.stderr
        stack.callback(shutil.rmtree, folder / "data")
        for name in ("server.pem", "server.key"):
            shutil.copy(certificates / name, folder / "data")
            account.give(folder / "data" / name)
        rules = "local all all trust\nhostssl all kai all scram-sha-256\nhost all leo all trust\n"
        (folder / "data" / "pg_hba.conf").write_text(rules)
        server = PostgresServer(folder, programs, account)
        server.url = server.url.replace("@/surf_data?", "@/postgres?")
        stack.callback(server.stop)
        start_with_tls(server, address)
        server.execute(f"CREATE ROLE kai LOGIN PASSWORD '{PASSWORD}'")
        server.execute("CREATE ROLE leo LOGIN")
        yield address, server


@pytest.mark.parametrize(
    ("user", "host", "trusted", "tls", "reason"),
    [
        ("kai", "localhost", True, True, None),
        ("kai", "db.example.com", True, True, "TLS failed"),
        ("kai", "localhost", False, True, "TLS failed"),
        ("leo", "localhost", True, True, "authentication failed"),
        ("kai", "localhost", True, False, "TLS failed"),
    ],
    ids=["right", "wrong host", "wrong authority", "no password", "no TLS"],
)
@pytest.mark.usefixtures("any_version")
def test_a_postgresql_with_tls(
    tls_postgres: tuple[str, PostgresServer],
    authority: Authority,
    tmp_path: Path,
    *,
    user: str,
    host: str,
    trusted: bool,
    tls: bool,
    reason: str | None,
) -> None:
    """A PostgreSQL that ends TLS itself is let in with channel binding if all is right, and refused like the others."""
    address, server = tls_postgres
    if not tls:
        server.stop()
        start_with_tls(server, address, "off")
    known = (authority if trusted else Authority.new()).write(tmp_path / "ca.pem")
    guards = f"sslmode=verify-full&sslrootcert={known}&require_auth=scram-sha-256&channel_binding=require"
    url = f"postgresql://{user}:{PASSWORD}@{host}:5432/postgres?hostaddr={address}&gssencmode=disable&{guards}"
    with surf_data.open(url, pool_min_size=0) as data:
        found = _why(data)
    if not tls:
        server.stop()
        start_with_tls(server, address)
    assert found == reason


@pytest.fixture
def any_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let old servers be connected to: of TLS Debian's has all, and no wheel has a server with TLS."""
    monkeypatch.setattr(connector, "OLDEST_SERVER", 0)


def _why(data: surf_data.LampsDataLayer) -> str | None:
    """Return why the database cannot be reached."""
    database = data.health().database
    return None if database.ok else database.reason


# Redis


@pytest.mark.parametrize(
    ("case", "host", "reason"),
    [("right", "localhost", None), ("wrong host", "127.0.0.1", "TLS failed"), ("unknown", "localhost", "TLS failed")],
)
def test_redis(
    own_redis: Callable[..., RedisServer],
    end_tls: Callable[..., int],
    authority: Authority,
    tmp_path: Path,
    case: str,
    host: str,
    reason: str | None,
) -> None:
    """``rediss://`` checks the certificate and the host's name, and sends no password to anybody else."""
    port = end_tls(own_redis("--requirepass", PASSWORD).path)
    trusted = (Authority.new() if case == "unknown" else authority).write(tmp_path / "ca.pem")
    url = f"rediss://:{PASSWORD}@{host}:{port}?ssl_ca_certs={trusted}"
    with surf_data.open("dbname=none", url, pool_min_size=0, cache_timeout=10) as data:
        assert data.redis.ping().reason == reason
        data.cache.set_surf_data_cache(2, {"wave_height_m": 1.8})
        assert (data.cache.get_surf_data_cache(2) is None) == (reason is not None)


def test_a_redis_user_with_no_more_than_it_needs(own_redis: Callable[..., RedisServer], tmp_path: Path) -> None:
    """The user of docs/how-to/connect.md serves the cache, and can neither look elsewhere nor empty the server."""
    document = Path(__file__).parents[3] / "docs" / "how-to" / "connect.md"
    [command] = [
        block for block in document.read_text("utf-8").split("```") if block.startswith("text\nACL SETUSER surf ")
    ]
    server = own_redis()
    with server.client() as client:
        client.execute_command(*command.removeprefix("text\n").split())
        client.set("others", "secret")
    with surf_data.open("dbname=none", f"unix://surf:secret@{server.path}", cache_timeout=10) as data:
        data.cache.set_surf_data_cache(2, {"wave_height_m": 1.8})
        found = data.cache.get_surf_data_cache(2)
        assert found is not None
        data.cache.invalidate_cache(2)
        assert data.cache.get_surf_data_cache(2) is None
    with server.client(username="surf", password="secret") as client:
        for forbidden in (["GET", "others"], ["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["EVAL", "", "0"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden)
