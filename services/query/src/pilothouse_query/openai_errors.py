"""Errors of the OpenAI-compatible routes: `{"error": {message, type, param, code}}`.

OpenAI's clients read nothing else, so on these routes a `Problem` is put into that form too.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import OperationalError
from psycopg.errors import UndefinedTable
from starlette.exceptions import HTTPException

from pilothouse_core.failover import RepeatingRoute
from pilothouse_core.problem import (
    Problem,
    database_problem,
    http_problem,
    schema_problem,
    unexpected_problem,
    validation_problem,
)

log = structlog.get_logger()


class OpenAIError(Exception):
    """A request that cannot be answered; `code` is stable, `message` is for a person."""

    def __init__(self, *, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.param = param

    def body(self) -> dict[str, dict[str, str | None]]:
        """The wire form."""
        return {
            "error": {
                "message": self.message,
                "type": _type(self.status),
                "param": self.param,
                "code": self.code,
            }
        }


def _type(status: int) -> str:
    """OpenAI's name for a kind of error."""
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error"
    )


def _of_problem(problem: Problem) -> OpenAIError:
    return OpenAIError(status=problem.status, code=problem.code, message=problem.detail)


class OpenAIRoute(RepeatingRoute):
    """A route whose errors have OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                return await handle(request)
            except OpenAIError as exc:
                error = exc
            except Problem as exc:
                error, headers = _of_problem(exc), exc.headers
            except RequestValidationError as exc:
                first = exc.errors()[0]
                error = _of_problem(validation_problem(exc))
                # OpenAI answers 400 to a body that it does not accept.
                error.status, error.param = 400, ".".join(str(part) for part in first["loc"][1:]) or None
            except OperationalError as exc:
                log.warning("database_unavailable", error=type(exc).__name__)
                problem = database_problem()
                error, headers = _of_problem(problem), problem.headers
            except UndefinedTable as exc:
                log.error("database_not_migrated", error=str(exc).partition("\n")[0])
                error = _of_problem(schema_problem())
            except HTTPException as exc:
                error = _of_problem(http_problem(request, exc))
            except Exception as exc:
                log.error("unexpected_error", path=request.url.path, exc_info=exc)
                error = _of_problem(unexpected_problem())
            return JSONResponse(error.body(), status_code=error.status, headers=headers)

        return handle_or_explain
