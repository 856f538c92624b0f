"""A model hub on this machine: one repository, with the answers of the real one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the hub has, and what it was asked."""

    repository: str
    files: dict[str, bytes]
    token: str = ""
    gated: bool = False
    status: int = 200
    address: str = ""
    asked: list[str] = field(default_factory=list)

    def refusal(self, authorization: str) -> tuple[int, str] | None:
        """Status and error code, when it does not serve this caller."""
        if self.status != 200:
            return self.status, ""
        if self.gated:
            return 403, "GatedRepo"
        if self.token and authorization != f"Bearer {self.token}":
            return 401, "RepoNotFound"
        return None


@contextmanager
def served_hub(hub: Hub) -> Iterator[Hub]:
    """The hub behind a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            if refused := hub.refusal(self.headers.get("authorization", "")):
                self._answer(refused[0], b"", {"x-error-code": refused[1]})
            elif path == f"/api/models/{hub.repository}/revision/main":
                siblings = [{"rfilename": name, "size": len(data)} for name, data in hub.files.items()]
                self._json({"id": hub.repository, "sha": COMMIT, "siblings": siblings})
            elif path.startswith(f"/api/models/{hub.repository}/revision/"):
                self._answer(404, b"", {"x-error-code": "RevisionNotFound"})
            elif path.startswith(prefix := f"/{hub.repository}/resolve/{COMMIT}/"):
                data = hub.files[path.removeprefix(prefix)]
                headers = {"etag": f'"{sha256(data).hexdigest()}"', "x-repo-commit": COMMIT}
                self._answer(200, data, headers)
            else:
                self._answer(404, b"", {"x-error-code": "RepoNotFound"})

        def _json(self, body: Any) -> None:
            self._answer(200, json.dumps(body).encode(), {"content-type": "application/json"})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
