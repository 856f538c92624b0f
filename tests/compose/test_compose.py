"""The story of a first day in containers: an empty product, a PDF, a cited answer, down and up again."""

import re
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.compose import Project, in_image, project

PDF = Path(__file__).parents[2] / "samples" / "how-ingestion-works.pdf"
QUESTION = "What happens to a document if the machine loses power during ingestion?"
PATIENCE = 180
TOOLS = ("pip", "npm", "node", "gcc", "cc", "make", "git", "curl")
pytestmark = pytest.mark.timeout(1800)


@pytest.mark.usefixtures("images")
def test_from_nothing_to_a_cited_answer_that_outlives_a_restart() -> None:
    with project("pilothouse-test") as stack:
        stack.up()
        made = stack.credentials()
        assert_nothing_secret_is_shown(stack, made)
        assert_strangers_are_refused(stack)
        with httpx2.Client(base_url=stack.url("CHAT_UI"), timeout=PATIENCE) as page:
            assert page.get("/api/config").json()["auth_mode"] == "none"
            assert "<title>" in page.get("/").text
            document = upload(page, PDF)
            session = page.post("/api/sessions", json={}).json()["id"]
            assert_answered(ask(page, session), document)

        stack.compose("down")
        stack.up()

        assert stack.credentials() == made
        with httpx2.Client(base_url=stack.url("CHAT_UI"), timeout=PATIENCE) as page:
            assert page.get(f"/api/documents/{document}/content").content == PDF.read_bytes()
            messages = page.get(f"/api/sessions/{session}/messages").json()["items"]
            assert [message["role"] for message in messages] == ["user", "assistant"]
            assert_answered(messages[1], document)
            assert_answered(ask(page, session), document)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("name", ["ingest", "query", "chat-ui", "model-server"])
def test_an_image_holds_neither_tools_nor_torch_and_brings_what_every_image_has(name: str) -> None:
    tools = f"for tool in {' '.join(TOOLS)}; do command -v $tool; done; true"
    assert in_image(name, "sh", "-c", tools) == ""
    packages = "find /app /usr -name torch -o -name pip -o -name *.whl"
    assert in_image(name, *packages.split()) == ""
    assert in_image(name, "id", "-u") == "10001\n"
    assert "--passwords" in in_image(name, "pilothouse-migrate", "--help")
    assert "kubernetes" in in_image(name, "python", "-m", "pilothouse_core.credentials", "--help")


def upload(page: httpx2.Client, file: Path) -> str:
    """The id of the document, once it can be searched."""
    page.put("/api/collections/default", json={}).raise_for_status()
    sent = {"file": (file.name, file.read_bytes(), "application/pdf")}
    document = page.post("/api/collections/default/documents", files=sent).json()["id"]
    deadline = time.monotonic() + PATIENCE
    while (state := page.get(f"/api/documents/{document}").json())["status"] not in {"indexed", "failed"}:
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
    assert state["status"] == "indexed", state
    return str(document)


def ask(page: httpx2.Client, session: str) -> dict[str, Any]:
    """The answer, as it is stored."""
    path = f"/api/sessions/{session}/messages"
    events = page.post(path, json={"content": QUESTION}).text
    assert "event: done" in events, events[-2000:]
    answer = page.get(path).json()["items"][-1]
    assert isinstance(answer, dict)
    return answer


def assert_answered(answer: dict[str, Any], document: str) -> None:
    assert answer["status"] == "done", answer
    assert "not lost" in answer["content"]
    assert document in {citation["document_id"] for citation in answer["citations"]}


def assert_strangers_are_refused(stack: Project) -> None:
    """The APIs beside the page know nobody who brings no key."""
    assert httpx2.get(f"{stack.url('INGEST')}/v1/collections").status_code == 401
    search = httpx2.post(f"{stack.url('QUERY')}/v1/search", json={"query": "x"})
    assert search.status_code == 401


def assert_nothing_secret_is_shown(stack: Project, credentials: dict[str, str]) -> None:
    """Neither in what Docker tells about the containers nor in what they log."""
    shown = str(stack.inspect()) + stack.compose("logs") + stack.compose("config")
    values = {part for text in credentials.values() for part in re.split(r"[:\s]", text) if len(part) >= 32}
    assert len(values) >= 6
    assert not [value for value in values if value in shown]
