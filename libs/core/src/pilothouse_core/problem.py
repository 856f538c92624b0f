"""Errors that reach a person: RFC 9457 `application/problem+json` with a stable code.

`Problem` is what services raise; everything else that escapes a route becomes a 500
`internal_error`, logged with its traceback and shown without it.
"""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import OperationalError
from psycopg.errors import UndefinedTable
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

log = structlog.get_logger()

# As proxies log a request whose client did not wait; nobody receives it.
CLIENT_CLOSED_REQUEST = 499


class Problem(Exception):
    """An expected failure. `detail` says what happened and what to do, in words for a person."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        title: str,
        detail: str,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra


class ProblemBody(BaseModel):
    """The wire form of a problem."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str


# For `responses=` of routers, so that the OpenAPI documents say what errors look like.
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What was wrong with the request", "content": {"application/problem+json": {}}},
    "5XX": {"description": "What went wrong here", "content": {"application/problem+json": {}}},
}
for _response in PROBLEM_RESPONSES.values():
    _response["model"] = ProblemBody


def request_id(request: Request) -> str:
    """The id of this request, as logged and as answered in `x-request-id`."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def problem_response(request: Request, problem: Problem) -> JSONResponse:
    """The HTTP answer for a problem."""
    body = {
        "type": f"urn:pilothouse:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
        "code": problem.code,
        "request_id": request_id(request),
        **problem.extra,
    }
    return JSONResponse(
        jsonable_encoder(body),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=problem.headers,
    )


def validation_problem(error: RequestValidationError) -> Problem:
    """422 with one entry per wrong field: where it is and what is wrong with it."""
    errors = [
        {
            "where": ".".join(str(part) for part in item["loc"]),
            "what": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors()
    ]
    malformed = any(item["type"] == "json_invalid" for item in error.errors())
    where = "; ".join(f"{item['where']}: {item['what']}" for item in errors[:3])
    return Problem(
        status=400 if malformed else 422,
        code="malformed_json" if malformed else "invalid_request",
        title="The request body is not valid JSON" if malformed else "The request is not valid",
        detail=f"Correct this and send it again: {where}",
        errors=errors,
    )


def http_problem(request: Request, error: HTTPException) -> Problem:
    """The framework's own refusals: no such address or method, a body that cannot be read."""
    if error.status_code == 400 and isinstance(error.__cause__, ValueError | RecursionError):
        return Problem(
            status=400,
            code="malformed_json",
            title="The request body is not valid JSON",
            detail="It is not UTF-8, or it is nested too deep. Correct it and send it again.",
        )
    phrase = HTTPStatus(error.status_code).phrase
    code = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}.get(
        error.status_code, phrase.lower().replace(" ", "_")
    )
    return Problem(
        status=error.status_code,
        code=code,
        title=phrase,
        detail=error.detail
        if error.detail != phrase
        else f"{request.method} {request.url.path} is not part of this service. See /openapi.json.",
        headers=dict(error.headers or {}),
    )


def unexpected_problem() -> Problem:
    """500 for what nobody foresaw."""
    return Problem(
        status=500,
        code="internal_error",
        title="Something went wrong here",
        detail="The error is in the service's log under this request_id. Trying again may help.",
    )


def database_problem() -> Problem:
    """503 for a database that cannot be reached."""
    return Problem(
        status=503,
        code="database_unavailable",
        title="The database cannot be reached",
        detail="Try again in a moment; if it lasts, check that PostgreSQL runs.",
        headers={"retry-after": "2"},
    )


def schema_problem() -> Problem:
    """503 for a database that lacks what this version needs."""
    return Problem(
        status=503,
        code="database_not_migrated",
        title="The database is not ready for this version",
        detail="Run pilothouse-migrate of this version. The service's log says what is missing.",
        headers={"retry-after": "5"},
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Makes every error of the app a problem."""

    async def on_problem(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, Problem)
        return problem_response(request, exc)

    async def on_validation(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, RequestValidationError)
        return problem_response(request, validation_problem(exc))

    async def on_http(request: Request, exc: Exception) -> JSONResponse:
        assert isinstance(exc, HTTPException)
        return problem_response(request, http_problem(request, exc))

    async def on_database(request: Request, exc: Exception) -> JSONResponse:
        log.warning("database_unavailable", error=type(exc).__name__)
        return problem_response(request, database_problem())

    async def on_schema(request: Request, exc: Exception) -> JSONResponse:
        log.error("database_not_migrated", error=str(exc).partition("\n")[0])
        return problem_response(request, schema_problem())

    async def on_gone(request: Request, _: Exception) -> Response:
        log.info("client_gone", path=request.url.path)
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def on_unexpected(request: Request, exc: Exception) -> JSONResponse:
        log.error("unexpected_error", path=request.url.path, exc_info=exc)
        return problem_response(request, unexpected_problem())

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(OperationalError, on_database)
    app.add_exception_handler(UndefinedTable, on_schema)
    app.add_exception_handler(ClientDisconnect, on_gone)
    app.add_exception_handler(Exception, on_unexpected)
