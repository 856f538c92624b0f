"""An API server that knows Secrets: HTTPS, tokens, and the status codes of the real one."""

import json
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NAMESPACE = "pilothouse-test"
PATH = re.compile(rf"/api/v1/namespaces/{NAMESPACE}/secrets(?:/(?P<name>[^/]+))?")

Manifest = dict[str, Any]


@dataclass(slots=True)
class FakeKubernetes:
    """What it holds and how it behaves; `answers` come first, one per request, None for its own answer."""

    token: str
    secrets: dict[str, Manifest] = field(default_factory=dict)
    verbs: set[str] = field(default_factory=lambda: {"get", "create"})
    answers: list[int | None] = field(default_factory=list)
    rival: dict[str, Manifest] = field(default_factory=dict)
    """Secrets that somebody else creates just before we do."""

    def get(self, name: str) -> tuple[int, Manifest]:
        if "get" not in self.verbs:
            return self._forbidden("get")
        if name not in self.secrets:
            return _status(HTTPStatus.NOT_FOUND, f'secrets "{name}" not found')
        return HTTPStatus.OK, self.secrets[name]

    def create(self, manifest: Manifest) -> tuple[int, Manifest]:
        if "create" not in self.verbs:
            return self._forbidden("create")
        name = manifest["metadata"]["name"]
        if name in self.rival:
            self.secrets[name] = self.rival.pop(name)
        if name in self.secrets:
            return _status(HTTPStatus.CONFLICT, f'secrets "{name}" already exists')
        self.secrets[name] = manifest
        return HTTPStatus.CREATED, manifest

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Manifest]:
        """What the server says to one request."""
        forced = self.answers.pop(0) if self.answers else None
        if forced is not None:
            return _status(HTTPStatus(forced), "etcdserver: request timed out")
        if token != f"Bearer {self.token}":
            return _status(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        match = PATH.fullmatch(path)
        if match is None:
            return _status(HTTPStatus.NOT_FOUND, "the server could not find the requested resource")
        return self.get(match["name"]) if method == "GET" else self.create(json.loads(body))

    def _forbidden(self, verb: str) -> tuple[int, Manifest]:
        return _status(
            HTTPStatus.FORBIDDEN,
            f'secrets is forbidden: User "system:serviceaccount:{NAMESPACE}:credentials" cannot {verb} '
            f'resource "secrets" in API group "" in the namespace "{NAMESPACE}"',
        )


def _status(code: HTTPStatus, message: str) -> tuple[int, Manifest]:
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


@contextmanager
def serving(fake: FakeKubernetes, certificate: Path) -> Iterator[int]:
    """The port on which it listens on 127.0.0.1, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            token = self.headers.get("authorization", "")
            code, answer = fake.answer(self.command, self.path, token, body)
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not on this machine")
    certificate = folder / "server.crt"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate
