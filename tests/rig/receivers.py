"""Receivers of what is sent: an HTTP server and an SMTP server on this machine."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller

_SNS = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


class HttpReceiver:
    """Takes what is posted to it."""

    def __init__(self, port: int) -> None:
        #: Its port on 127.0.0.1.
        self.port = port
        #: Documents that came, JSON or a form.
        self.received: list[dict[str, Any]] = []
        #: Set to have answers wait until it is cleared again.
        self.hangs = threading.Event()
        #: Set when what hangs may go on.
        self.released = threading.Event()
        #: The status that is answered.
        self.status = 200


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """Run an HTTP receiver for a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.hangs.is_set():
                receiver.released.wait(60)
            try:
                receiver.received.append(json.loads(body))
            except ValueError:
                receiver.received.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(_SNS)))
            self.end_headers()
            self.wfile.write(_SNS)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = HttpReceiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class SmtpReceiver:
    """Takes e-mail."""

    def __init__(self) -> None:
        #: What came.
        self.received: list[Message] = []
        #: Its port on 127.0.0.1.
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take one."""
        self.received.append(message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def smtp_receiver() -> Iterator[SmtpReceiver]:
    """Run an SMTP receiver for a block."""
    receiver = SmtpReceiver()
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        receiver.port = reserved.getsockname()[1]
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
