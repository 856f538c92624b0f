"""The sample documents: offered once, uploaded like anybody's documents."""

from pathlib import Path
from typing import Literal

import anyio.to_thread
import httpx2
import structlog
from pydantic import BaseModel

from pilothouse_chat_ui.ingest.client import ingest_unavailable
from pilothouse_core.problem import Problem

log = structlog.get_logger()

COLLECTION = "samples"
DESCRIPTION = "Documents to try Pilothouse with."


class SamplesAdded(BaseModel):
    """What became of the sample documents; they are being indexed now."""

    collection: Literal["samples"]
    accepted: int
    already_there: int
    refused: list[str]


class Samples:
    """Offers the files of a folder, when there is one."""

    def __init__(self, folder: Path | None, formats: tuple[str, ...], client: httpx2.AsyncClient) -> None:
        self._folder = folder
        self._formats = formats
        self._client = client

    async def offered(self, headers: dict[str, str]) -> bool:
        """Whether there is a folder, and nothing of it in the collection yet."""
        if not await anyio.to_thread.run_sync(self._files):
            return False
        try:
            response = await self._client.get(f"/v1/collections/{COLLECTION}", headers=headers, timeout=2)
        except httpx2.TransportError:
            return False
        if response.status_code == 200:
            return int(response.json().get("document_count", 0)) == 0
        return response.status_code == 404

    async def add(self, headers: dict[str, str]) -> SamplesAdded:
        """Uploads all files; those that are there stay as they are. Raises `Problem`."""
        files = await anyio.to_thread.run_sync(self._files)
        if not files:
            raise Problem(
                status=404,
                code="no_samples",
                title="There are no sample documents",
                detail="This installation has none (PILOTHOUSE_SAMPLES_PATH). Upload documents of your own.",
            )
        try:
            await self._ensure_collection(headers)
            accepted, already_there, refused = 0, 0, []
            for path in files:
                response = await self._upload(path, headers)
                accepted += response.status_code == 202
                already_there += response.status_code == 200
                if response.is_error:
                    log.warning("sample_refused", file=path.name, status=response.status_code)
                    refused.append(path.name)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as exc:
            raise ingest_unavailable(503) from exc
        except httpx2.TransportError as exc:
            raise ingest_unavailable(502) from exc
        return SamplesAdded(
            collection="samples", accepted=accepted, already_there=already_there, refused=refused
        )

    async def _ensure_collection(self, headers: dict[str, str]) -> None:
        there = await self._client.get(f"/v1/collections/{COLLECTION}", headers=headers)
        if there.status_code != 404:
            return
        made = await self._client.put(
            f"/v1/collections/{COLLECTION}", headers=headers, json={"description": DESCRIPTION}
        )
        if made.is_error:
            raise Problem(
                status=502,
                code="samples_refused",
                title="The sample documents cannot be added",
                detail=f"The ingest service answered {made.status_code} to a new collection “{COLLECTION}”. "
                "Upload documents of your own, or ask whoever runs Pilothouse.",
            )

    async def _upload(self, path: Path, headers: dict[str, str]) -> httpx2.Response:
        assert self._folder is not None
        with path.open("rb") as file:
            return await self._client.post(
                f"/v1/collections/{COLLECTION}/documents",
                headers=headers,
                files={"file": (path.name, file)},
                data={"external_id": path.relative_to(self._folder).as_posix()},
            )

    def _files(self) -> list[Path]:
        if self._folder is None or not self._folder.is_dir():
            return []
        return sorted(
            path
            for path in self._folder.rglob("*")
            if path.is_file() and path.suffix.lower() in self._formats and not path.name.startswith(".")
        )
