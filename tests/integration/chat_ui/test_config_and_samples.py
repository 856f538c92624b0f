"""What the page is told first, and the offer of sample documents."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import FastAPI, Form, Response, UploadFile
from structlog.testing import capture_logs

from integration.chat_ui.replicas import KEY, Browser, replica, serving, settings_for
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from support.database import Database


@dataclass(slots=True)
class Collections:
    """As much of ingest as samples need."""

    documents: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/collections/{name}")
        async def read(name: str, response: Response) -> dict[str, int]:
            response.status_code = 200 if name in self.documents else 404
            return {"document_count": len(self.documents.get(name, {}))}

        @app.put("/v1/collections/{name}", status_code=201)
        async def make(name: str) -> None:
            self.documents[name] = {}

        @app.post("/v1/collections/{name}/documents")
        async def upload(
            name: str, file: UploadFile, external_id: Annotated[str, Form()], response: Response
        ) -> None:
            response.status_code = 200 if external_id in self.documents[name] else 202
            self.documents[name][external_id] = await file.read()

        return app


@pytest.fixture
def ingest() -> Collections:
    return Collections()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.md").write_text("# One")
    (tmp_path / "sub" / "two.txt").write_text("Two")
    (tmp_path / "notes.xyz").write_text("not a format that is read")
    (tmp_path / ".hidden.md").write_text("hidden")
    return tmp_path


@pytest.fixture
async def browser(
    database: Database, query_url: str, ingest: Collections, folder: Path
) -> AsyncIterator[Browser]:
    async with (
        serving(ingest.app(), lifespan=False) as url,
        replica(settings_for(database, query=query_url, ingest=url, samples=folder)) as one,
        one.browser() as browser,
    ):
        yield browser


async def test_samples_are_offered_until_they_are_there(browser: Browser, ingest: Collections) -> None:
    assert (await browser.client.get("/api/config")).json()["samples"] is True
    added = await browser.client.post("/api/samples")
    assert added.status_code == 202
    assert added.json() == {"collection": "samples", "accepted": 2, "already_there": 0, "refused": []}
    assert ingest.documents["samples"] == {"one.md": b"# One", "sub/two.txt": b"Two"}
    assert (await browser.client.get("/api/config")).json()["samples"] is False
    again = (await browser.client.post("/api/samples")).json()
    assert (again["accepted"], again["already_there"]) == (0, 2)


async def test_the_page_is_told_what_it_needs(browser: Browser) -> None:
    config = (await browser.client.get("/api/config")).json()
    assert config["principal"] == {"subject": "local"}
    assert config["model"] == {"name": "small-model", "available": True}
    assert config["limits"]["max_upload_bytes"] == 100 * 1024 * 1024
    assert ".pdf" in config["formats"]
    assert config["default_collection"] == "default"


async def test_without_samples_or_ingest_nothing_is_offered(
    database: Database, query_url: str, folder: Path
) -> None:
    async with replica(settings_for(database, query=query_url)) as one, one.browser() as browser:
        assert (await browser.client.get("/api/config")).json()["samples"] is False
        assert (await browser.client.post("/api/samples")).json()["code"] == "no_samples"
    async with (
        replica(settings_for(database, query=query_url, samples=folder)) as one,
        one.browser() as browser,
    ):
        assert (await browser.client.get("/api/config")).json()["samples"] is False
        assert (await browser.client.post("/api/samples")).json()["code"] == "ingest_unavailable"


async def test_a_service_without_its_database_says_so() -> None:
    nowhere = Database("host=/nonexistent dbname=none", "none")
    async with replica(settings_for(nowhere)) as one, one.browser() as browser:
        assert (await browser.client.get("/livez")).status_code == 200
        response = await browser.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["missing"]["database"].startswith("It cannot be used: ")
    assert "/nonexistent" in response.json()["missing"]["database"]


async def test_who_runs_the_service_is_told_why_the_database_is_away_and_strangers_are_not() -> None:
    nowhere = Database("host=/nonexistent dbname=none", "none")
    settings = settings_for(nowhere).model_copy(update={"auth": AuthSettings(mode="none", key=KEY)})
    with capture_logs() as lines:
        async with replica(settings) as one, one.browser() as anybody:
            response = await anybody.client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["missing"] == {
        "database": "It cannot be used now; the log of this service says why."
    }
    said = [line["database"] for line in lines if line["event"] == "not_ready"]
    assert len(said) == 1
    assert "/nonexistent" in said[0]


async def test_who_people_are_is_told_the_page_and_the_services_behind(database: Database) -> None:
    """Without sign-in everybody is one; a program with a token of its own is itself all the same."""
    auth = AuthSettings(mode="none", key=KEY)
    settings = settings_for(database).model_copy(update={"auth": auth})
    async with replica(settings) as one, one.browser() as anybody:
        config = (await anybody.client.get("/api/config")).json()
        token = Authenticator(auth).headers(Principal("selftest"))
        program = (await anybody.client.get("/api/config", headers=token)).json()
    assert (config["auth_mode"], config["principal"]) == ("none", {"subject": "anonymous"})
    assert program["principal"] == {"subject": "selftest"}
