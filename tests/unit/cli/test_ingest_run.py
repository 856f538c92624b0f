"""`pilothouse ingest` against an ingest service that is made up."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx2
import pytest

from pilothouse.ingest import IngestRun, Outcome


class MadeUpService:
    """Accepts text files as documents of two passages, refuses others, and fails what says `broken`."""

    def __init__(self, *, busy: int = 0, known: bool = False) -> None:
        self.collections: set[str] = set()
        self.documents: dict[str, dict[str, object]] = {}
        self.external_ids: list[str] = []
        self._busy = busy
        self._known = known

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.endswith("/events"):
            return httpx2.Response(200, text="")
        if path.endswith("/documents"):
            return self._upload(request)
        if path.startswith("/v1/documents/"):
            return httpx2.Response(200, json=self.documents[path.rpartition("/")[2]])
        name = path.rpartition("/")[2]
        if request.method == "PUT":
            self.collections.add(name)
        return httpx2.Response(
            200 if name in self.collections else 404, json={"detail": "no such collection"}
        )

    def _upload(self, request: httpx2.Request) -> httpx2.Response:
        if self._busy:
            self._busy -= 1
            return httpx2.Response(429, json={"detail": "too busy"}, headers={"retry-after": "0"})
        body = request.content
        self.external_ids.append(body.split(b'name="external_id"\r\n\r\n')[1].split(b"\r\n")[0].decode())
        if b".png" in body:
            return httpx2.Response(415, json={"detail": "Files named .png are not supported."})
        content = body.split(b'name="file"')[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0]
        document_id = content.hex() or "empty"
        failed = {"code": "damaged_file", "detail": "The file is damaged."} if b"broken" in content else None
        final: dict[str, object] = {
            "id": document_id,
            "status": "failed" if failed else "indexed",
            "chunk_count": 0 if failed else 2,
            "error": failed,
        }
        already = self._known or document_id in self.documents
        self.documents[document_id] = final
        answer = final if self._known else {**final, "status": "queued", "error": None}
        return httpx2.Response(200 if already else 202, text=json.dumps(answer))


async def run(service: MadeUpService, files: Sequence[Path]) -> tuple[Outcome, int]:
    reported: list[int] = []
    ingest = IngestRun(
        "default", "http://ingest", report=reported.append, transport=httpx2.MockTransport(service)
    )
    return await ingest.ingest(files), sum(reported)


def write(folder: Path, **contents: str) -> list[Path]:
    files = []
    for name, content in contents.items():
        files.append(folder / name.replace("_", "."))
        files[-1].write_text(content, encoding="utf-8")
    return files


async def test_documents_are_uploaded_and_waited_for(tmp_path: Path) -> None:
    service = MadeUpService()
    outcome, reported = await run(service, write(tmp_path, a_txt="one", b_md="two"))
    assert (outcome.indexed, outcome.chunks, outcome.failures) == (2, 4, {})
    assert reported == 2
    assert service.collections == {"default"}


async def test_each_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    files = write(tmp_path, good_txt="fine", bad_pdf="broken", photo_png="x")
    outcome, reported = await run(MadeUpService(), files)
    assert outcome.failures == {
        str(tmp_path / "bad.pdf"): "The file is damaged.",
        str(tmp_path / "photo.png"): "Files named .png are not supported.",
    }
    assert (outcome.indexed, reported) == (1, 3)


async def test_equal_files_are_one_document(tmp_path: Path) -> None:
    outcome, reported = await run(MadeUpService(), write(tmp_path, a_txt="same", b_txt="same"))
    assert (outcome.indexed, outcome.known, reported) == (1, 1, 2)


async def test_bytes_that_are_there_already_are_not_counted_as_work(tmp_path: Path) -> None:
    outcome, _ = await run(MadeUpService(known=True), write(tmp_path, a_txt="old"))
    assert (outcome.indexed, outcome.known) == (0, 1)


async def test_a_busy_service_is_asked_again(tmp_path: Path) -> None:
    outcome, _ = await run(MadeUpService(busy=3), write(tmp_path, a_txt="one"))
    assert outcome.indexed == 1


async def test_a_service_that_restarts_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.ingest._PAUSE_SECONDS", 0)
    service, failures = MadeUpService(), [True] * 3

    def restarting(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/documents") and failures:
            failures.pop()
            raise httpx2.ConnectError("refused", request=request)
        return service(request)

    ingest = IngestRun("default", "http://ingest", report=print, transport=httpx2.MockTransport(restarting))
    assert (await ingest.ingest(write(tmp_path, a_txt="one"))).indexed == 1


async def test_the_path_identifies_the_file_so_that_a_new_version_replaces_it(tmp_path: Path) -> None:
    service = MadeUpService()
    files = write(tmp_path, a_txt="one")
    await run(service, files)
    assert service.external_ids == [files[0].as_posix()]


async def test_a_file_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    files = [*write(tmp_path, a_txt="one"), tmp_path / "vanished.txt"]
    outcome, _ = await run(MadeUpService(), files)
    assert outcome.indexed == 1
    assert "cannot be read" in outcome.failures[str(tmp_path / "vanished.txt")]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
async def test_a_file_whose_name_is_no_text_fails_alone(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.txt")
    odd.write_text("two")
    outcome, reported = await run(MadeUpService(), [*write(tmp_path, a_txt="one"), odd])
    assert (outcome.indexed, reported) == (1, 2)
    assert "rename it" in outcome.failures[str(tmp_path / "caf\ufffd.txt")]


async def test_a_service_that_is_away_is_an_error(tmp_path: Path) -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    ingest = IngestRun("default", "http://ingest", report=print, transport=httpx2.MockTransport(away))
    with pytest.raises(httpx2.ConnectError):
        await ingest.ingest(write(tmp_path, a_txt="one"))
