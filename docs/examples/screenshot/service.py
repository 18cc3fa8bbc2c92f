"""A small service on the data layer: uploads, signed downloads, health. Python's own server, nothing else.

    python service.py            listens on PORT (3000)

What it needs to know comes from the environment: see .env.example.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from surf_data import SurfDataError, ValidationError, screenshot
from surf_data.errors import ObjectNotFound, SignedUrlInvalid
from surf_data.kernel.correlation import correlation
from surf_data.kernel.logs import JsonFormatter
from surf_data.screenshot import AuditLog, ScreenshotDataLayer

_log = logging.getLogger("service")
_MAX_BODY = 52_428_800

Start = Callable[[str, list[tuple[str, str]]], Any]


class Service:
    """The application, for any WSGI server."""

    def __init__(self, data: ScreenshotDataLayer) -> None:
        self._data = data

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request; what is done for it has its correlation id."""
        with correlation(environ.get("HTTP_TRACEPARENT") or environ.get("HTTP_X_CORRELATION_ID")) as identifier:
            try:
                return self._answer(environ, start)
            except ValidationError as error:
                return _json(start, "400 Bad Request", {"error": str(error), "correlationId": identifier})
            except (SignedUrlInvalid, ObjectNotFound):
                return _json(start, "404 Not Found", {"error": "there is no such thing", "correlationId": identifier})
            except SurfDataError as error:
                _log.exception("request failed")
                return _json(
                    start, "503 Service Unavailable", {"error": type(error).__name__, "correlationId": identifier}
                )

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode()
        if path == "/health":
            # Alive, whatever the database does: a restart would not mend it.
            return _json(start, "200 OK", {"ok": True})
        if path == "/ready":
            health = self._data.health()
            return _json(start, "200 OK" if health.overall.ok else "503 Service Unavailable", health.to_dict())
        if path.startswith("/upload/") and method == "PUT":
            return self._upload(environ, start, path.removeprefix("/upload/"))
        if path.startswith("/objects/") and method in ("GET", "HEAD"):
            return self._download(environ, start, path)
        return _json(start, "404 Not Found", {"error": "there is no such page"})

    def _upload(self, environ: dict[str, Any], start: Start, path: str) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BODY:
            raise ValidationError("the body is too large", field="body")
        with self._data.transaction() as tx:
            stored = tx.storage.store(environ["wsgi.input"].read(length), path, environ.get("CONTENT_TYPE") or None)
            tx.audit.record(AuditLog.create_system_event("image_generate", f"uploaded {stored.path}"))
        url = self._data.storage.signed_url(path)
        return _json(start, "201 Created", {"path": stored.path, "sizeBytes": stored.size_bytes, "url": url})

    def _download(self, environ: dict[str, Any], start: Start, path: str) -> Iterable[bytes]:
        opened = self._data.storage.open_signed(f"{path}?{environ['QUERY_STRING']}", environ["REQUEST_METHOD"])
        found = opened.object
        headers = [
            ("Content-Type", found.content_type),
            ("Content-Length", str(found.stored_bytes)),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "private, max-age=31536000, immutable"),
        ]
        if not found.content_type.startswith("image/"):
            headers.append(("Content-Disposition", "attachment"))
        if found.content_encoding is not None:
            headers.append(("Content-Encoding", found.content_encoding))
        start("200 OK", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            opened.body.close()
            return []
        return opened.body


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing: a signed URL is a secret."""


def _json(start: Start, status: str, document: Any) -> list[bytes]:
    body = json.dumps(document).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def serve(host: str = "", port: int = 3000) -> WSGIServer:
    """Return the server, which is not running yet."""
    data = screenshot.open()
    data.storage.initialize()
    return make_server(host, port, Service(data), handler_class=_QuietHandler)


def main() -> None:
    """Serve until the process is ended."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(service="data-layer"))
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "info").upper(), handlers=[handler])
    with serve(port=int(os.environ.get("PORT", "3000"))) as server:
        _log.info("listening")
        server.serve_forever()


if __name__ == "__main__":
    main()
