"""Errors in the form OpenAI's clients expect."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pilothouse_core.problem import Problem


class ModelError(Exception):
    """A request that got no answer, and why."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, dict[str, str | None]]:
        """`{"error": {...}}`."""
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def invalid_request(message: str, param: str | None = None) -> ModelError:
    """400 for a request that does not make sense."""
    return ModelError(status=400, code="invalid_request", message=message, param=param)


def from_llama(error: dict[str, Any]) -> ModelError:
    """The engine's own error object, translated."""
    message = str(error.get("message", "The model failed."))
    if error.get("type") == "exceed_context_size_error":
        return ModelError(
            status=400,
            code="context_length_exceeded",
            message=f"This model's maximum context length is {error.get('n_ctx')} tokens, "
            f"and the messages have {error.get('n_prompt_tokens')}. Shorten them.",
            param="messages",
        )
    if error.get("code") in {400, 404, 501}:
        return invalid_request(message)
    return ModelError(status=500, code="model_failed", message=message)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal in OpenAI's form; the only payload here is a chat request."""

    async def on_model_error(_request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, ModelError)
        return JSONResponse(exc.body, status_code=exc.status, headers=exc.headers)

    async def on_validation(_request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, RequestValidationError)
        first = exc.errors()[0]
        param = ".".join(str(part) for part in first["loc"][1:]) or None
        error = invalid_request(f"{param or 'The body'}: {first['msg']}", param)
        return JSONResponse(error.body, status_code=error.status)

    async def on_problem(_request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, Problem)
        error = ModelError(status=exc.status, code=exc.code, message=exc.detail, headers=exc.headers)
        return JSONResponse(error.body, status_code=error.status, headers=error.headers)

    app.add_exception_handler(ModelError, on_model_error)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
