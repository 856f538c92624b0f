"""Refusals in the form of Text Embeddings Inference; under `/v1` with the field names that it uses there."""

from enum import Enum

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pilothouse_core.problem import Problem


class Kind(Enum):
    """TEI's names for what can be wrong, each with its status."""

    EMPTY = ("Empty", 400)
    VALIDATION = ("Validation", 422)
    TOKENIZER = ("Tokenizer", 422)
    BACKEND = ("Backend", 424)
    OVERLOADED = ("Overloaded", 429)


class EmbeddingsError(Exception):
    """A request that got no vectors, and why."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.type, self.status = kind.value
        self.message = message


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal in TEI's form."""

    def answer(
        request: Request, status: int, kind: str, message: str, headers: dict[str, str] | None = None
    ) -> JSONResponse:
        body: dict[str, str | int] = {"error": message, "error_type": kind}
        if request.url.path.startswith("/v1/"):
            body = {"message": message, "code": status, "error_type": kind}
        return JSONResponse(body, status_code=status, headers=headers)

    async def on_refusal(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, EmbeddingsError)
        headers = {"retry-after": "2"} if exc.status == Kind.OVERLOADED.value[1] else None
        return answer(request, exc.status, exc.type, exc.message, headers)

    async def on_validation(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, RequestValidationError)
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "The body"
        return answer(request, 422, "Validation", f"{where}: {first['msg'].removeprefix('Value error, ')}")

    async def on_problem(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, Problem)
        return answer(request, exc.status, "Validation", exc.detail, exc.headers)

    app.add_exception_handler(EmbeddingsError, on_refusal)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(Problem, on_problem)
