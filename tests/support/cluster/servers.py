"""Small servers in the cluster that do what a test wants, behind a Service."""

from dataclasses import dataclass

from support.cluster.kubectl import Namespace, Object
from support.cluster.strangers import image, stranger_pod

# Answers every path with a web page, as a login page or a wrong address does.
WEB_PAGE = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b"<!doctype html><title>Welcome</title><h1>It works</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *arguments): pass

ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""

# Speaks Text Embeddings Inference, with vectors of eight numbers.
SMALL_VECTORS = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INFO = {"model_id": "%s", "model_sha": None, "model_dtype": "float32", "max_input_length": 256,
        "model_type": {"embedding": {"pooling": "mean"}}, "max_client_batch_size": 32,
        "max_batch_tokens": 16384, "max_concurrent_requests": 512, "tokenization_workers": 1,
        "auto_truncate": False, "version": "1.9.3"}

class Handler(BaseHTTPRequestHandler):
    def do_GET(self): self.answer(INFO)
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = asked["inputs"] if isinstance(asked["inputs"], list) else [asked["inputs"]]
        self.answer([[0.5] * 8 for _ in texts])
    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *arguments): pass

ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Server:
    """A pod with a Service of the same name."""

    namespace: Namespace
    name: str

    @property
    def url(self) -> str:
        return f"http://{self.name}.{self.namespace.name}.svc:8000"


def start_server(namespace: Namespace, name: str, program: str) -> Server:
    labels = {"app": name}
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 8000}]},
    }
    namespace.apply(stranger_pod(name, image("query"), labels, program), service)
    namespace.wait(f"pod/{name}", "condition=Ready", 120)
    return Server(namespace, name)
