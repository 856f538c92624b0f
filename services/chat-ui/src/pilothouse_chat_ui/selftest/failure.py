"""What can be wrong with a step, and whose log says more."""

from pydantic import BaseModel, ValidationError

CHAT_UI = "the log of chat-ui"
INGEST = "the log of the ingest API"
WORKER = "the log of the ingest worker"
QUERY = "the log of query"
INFERENCE = "the log of the model server (inference), then that of query"
EMBEDDINGS = "the log of the embedding server, then that of query"
DATABASE = "the log of the database, then that of chat-ui"
KEYS = "PILOTHOUSE_AUTH_KEY, which chat-ui, ingest, query and this test must share"

# Codes that tell more about where the fault lies than the step does.
BY_CODE = {
    "unauthenticated": KEYS,
    "database_unavailable": DATABASE,
    "ingest_unavailable": INGEST,
    "bytes_missing": DATABASE,
    "embedder_unavailable": "the log of the embedding server, then that of the ingest worker",
    "embedding_unavailable": EMBEDDINGS,
    "embedding_space_missing": "PILOTHOUSE_EMBEDDING_MODEL of the ingest worker and query, which must agree",
    "query_unavailable": QUERY,
    "query_error": QUERY,
    "model_error": INFERENCE,
    "model_interrupted": INFERENCE,
    "model_timeout": INFERENCE,
    "answer_timeout": INFERENCE,
    "run_interrupted": CHAT_UI,
}
# Enough of a foreign answer to recognise it by.
SHOWN_CHARACTERS = 120


class Failure(Exception):
    """A step did not go as it should; `seen` and `look` are for whoever runs Pilothouse."""

    def __init__(self, seen: str, look: str) -> None:
        super().__init__(seen)
        self.seen = seen
        self.look = look


class _Problem(BaseModel):
    code: str
    detail: str


def reported(code: str, detail: str, look: str) -> Failure:
    """A failure that a service has described itself."""
    return Failure(f"{code}: {detail}", BY_CODE.get(code, look))


def refused(status: int, body: bytes, look: str) -> Failure:
    """An answer with a status that was not hoped for."""
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        return Failure(f"the answer had the status {status} and began {beginning(body)}", look)
    return reported(problem.code, problem.detail, look)


def beginning(body: bytes) -> str:
    """How an answer that is not understood begins, on one line."""
    text = " ".join(body[: 4 * SHOWN_CHARACTERS].decode("utf-8", errors="replace").split())
    return f"“{text[:SHOWN_CHARACTERS]}”" if text else "with nothing at all"
