"""A relay between clients and a server, which cuts, pauses, loses and invents what it carries."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

#: Where a server listens: the path of its Unix socket, or host and port.
Address = str | tuple[str, int]


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what a server sends as it comes."""
    while data := stream.read1(65536):  # type: ignore[attr-defined]
        yield data


def as_pooler(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what a PostgreSQL sends, with another number of its backend, as poolers have it."""
    # Each message is its kind, its length and the rest; K tells the number of the backend and its secret.
    while kind := stream.read(1):
        length = stream.read(4)
        rest = stream.read(int.from_bytes(length) - 4)
        if kind == b"K":
            rest = (int.from_bytes(rest[:4]) + 1).to_bytes(4) + rest[4:]
        yield kind + length + rest


class Relay:
    """Stands between clients and a server. Closing it ends all connections.

    Arguments:
        server: where the server listens.
        path: the path of a Unix socket to listen on; a TCP port of this machine when not given.
        replies: makes of what the server sends, as a stream for each connection, what the client gets.
    """

    def __init__(
        self, server: Address, path: Path | None = None, replies: Callable[[BinaryIO], Iterator[bytes]] = chunks
    ) -> None:
        #: For the next requests, in turn: what the client gets instead of the server's reply. Such a request does not
        #: reach the server, and empty bytes end the connection.
        self.answers: deque[bytes] = deque()
        #: How many requests reach the server before those.
        self.passing: int = 0
        #: What clients have sent, as it came.
        self.requests: list[bytes] = []
        self._server = server
        self._replies = replies
        self._lost: tuple[bytes, int] = (b"", 0)
        self._dropped = b""
        self._flowing = threading.Event()
        self._flowing.set()
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            #: The port on 127.0.0.1, 0 for a Unix socket.
            self.port: int = self._listener.getsockname()[1]
        else:
            self._listener, self.port = socket.socket(socket.AF_UNIX), 0
            self._listener.bind(str(path))
            self._listener.listen()
        self._sockets: list[socket.socket] = []
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lead_to(self, server: Address) -> None:
        """Lead connections that are made from now on to another server."""
        self._server = server

    @property
    def address(self) -> str:
        """Host and port, as URLs have them."""
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End all connections; new ones are accepted."""
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def pause(self) -> None:
        """Carry nothing more, either way, and keep all connections."""
        self._flowing.clear()

    def resume(self) -> None:
        """Carry on, beginning with what came meanwhile."""
        self._flowing.set()

    def say(self, message: bytes) -> None:
        """Send all clients what their server did not say."""
        for connection in self._clients:
            connection.sendall(message)

    def lose_replies(self, to: bytes, times: int = 1) -> None:
        """Carry the next requests that contain ``to``; when the server replies, end the connection instead."""
        self._lost = (to, times)

    def lose_request(self, containing: bytes) -> None:
        """When the next request that contains this comes, end the connection instead of carrying it."""
        self._dropped = containing

    def redirect(self, server: Address) -> None:
        """Lead new connections to another server; those there are stay."""
        self._server = server

    def close(self) -> None:
        """Stop listening, and end all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(30)
        self._listener.close()
        self.resume()
        self.cut()
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        losing = threading.Event()
        address = self._server
        server = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        with client, server:
            self._sockets += [client, server]
            self._clients.append(client)
            with suppress(OSError):
                server.connect(address)
                back = threading.Thread(target=self._carry_replies, args=(client, server, losing))
                back.start()
                with suppress(OSError):
                    self._carry_requests(client, server, losing)
                for side in (server, client):
                    with suppress(OSError):
                        side.shutdown(socket.SHUT_WR)
                back.join()

    def _carry_requests(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        while data := client.recv(65536):
            self.requests.append(data)
            self._flowing.wait()
            if self.answers and self.passing:
                self.passing -= 1
            elif self.answers:
                answer = self.answers.popleft()
                if not answer:
                    return
                client.sendall(answer)
                continue
            if self._dropped and self._dropped in data:
                self._dropped = b""
                return
            lost, times = self._lost
            if times and lost in data:
                self._lost = (lost, times - 1)
                losing.set()
            server.sendall(data)

    def _carry_replies(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        # A client may leave before its last reply.
        with suppress(OSError), server.makefile("rb") as stream:
            for data in self._replies(stream):
                self._flowing.wait()
                if losing.is_set():
                    break
                client.sendall(data)
        for side in (client, server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
