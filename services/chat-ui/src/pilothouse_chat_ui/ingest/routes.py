"""HTTP for collections and documents: all of it is ingest's, see that service's OpenAPI document."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pilothouse_chat_ui.dependencies import AppState, CurrentPrincipal
from pilothouse_chat_ui.ingest.proxy import pass_on

router = APIRouter(include_in_schema=False)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@router.api_route("/api/collections", methods=METHODS)
@router.api_route("/api/collections/{rest:path}", methods=METHODS)
@router.api_route("/api/documents", methods=METHODS)
@router.api_route("/api/documents/{rest:path}", methods=METHODS)
async def to_ingest(request: Request, principal: CurrentPrincipal, state: AppState) -> Response:
    """Passes the request on in the caller's name."""
    return await pass_on(
        request,
        principal,
        client=state.ingest,
        authenticator=state.authenticator,
        retry=state.settings.upstream.retry,
    )
