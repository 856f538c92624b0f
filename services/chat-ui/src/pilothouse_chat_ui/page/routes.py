"""HTTP for the page. The addresses are those of the page's own router."""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from pilothouse_chat_ui.page.files import PageFile, PageFiles
from pilothouse_core.problem import Problem

METHODS = ["GET", "HEAD"]

MISSING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Pilothouse: the page is not built</title>
<h1>The page is not built</h1>
<p>The service runs, but the files of its page are not there.</p>
<p>In a checkout, run <code>make web</code> (or <code>make up</code>) and reload.
In a container this must not happen: please report the image's tag.</p>
</html>
"""


def page_router(files: PageFiles) -> APIRouter:
    """Routes for the page's addresses and files."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=METHODS)
    @router.api_route("/s/{session_id}", methods=METHODS)
    @router.api_route("/documents", methods=METHODS)
    @router.api_route("/documents/{name}", methods=METHODS)
    async def page(request: Request) -> Response:
        file = await anyio.to_thread.run_sync(files.find, "index.html")
        if file is None:
            return HTMLResponse(MISSING, status_code=503, headers={"cache-control": "no-store"})
        return _response(request, file)

    @router.api_route("/assets/{name:path}", methods=METHODS)
    async def asset(request: Request, name: str) -> Response:
        return _response(request, await _find(f"assets/{name}"))

    @router.api_route("/{name}", methods=METHODS)
    async def top_level_file(request: Request, name: str) -> Response:
        return _response(request, await _find(name))

    async def _find(name: str) -> PageFile:
        file = await anyio.to_thread.run_sync(files.find, name)
        if file is None:
            raise Problem(
                status=404,
                code="not_found",
                title="Not Found",
                detail="There is no such file. After an upgrade, reload the page.",
            )
        return file

    return router


def _response(request: Request, file: PageFile) -> Response:
    headers = {"cache-control": file.cache_control, "etag": file.etag}
    body = file.content
    if file.compressible:
        headers["vary"] = "accept-encoding"
        if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            headers["etag"] = file.etag.removesuffix('"') + '-gz"'
            body = file.compressed
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=file.media_type, headers=headers)
