"""What `pilothouse ask` and `search` print."""

import json
from typing import Any

import httpx2
import pytest

from pilothouse.ask import ask, search

CITATION = {
    "n": 1,
    "title": "Tides [draft]",
    "page": 4,
    "quote": "High water is\nat noon.",
}


def client(answer: httpx2.Response, seen: list[Any] | None = None) -> httpx2.Client:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(json.loads(request.content))
        return answer

    return httpx2.Client(base_url="http://query", transport=httpx2.MockTransport(handle))


def stream(*chunks: dict[str, Any]) -> httpx2.Response:
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return httpx2.Response(200, text=": hello\n\n" + "".join(events) + "data: [DONE]\n\n")


def delta(text: str, **extra: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **extra}


def test_the_answer_is_printed_with_its_sources(capsys: pytest.CaptureFixture[str]) -> None:
    answer = stream(
        delta(""), delta("At noon [1]"), delta("."), delta("", citations=[CITATION], grounding={})
    )
    assert ask("When?", collection=None, client=client(answer)) == 0
    assert capsys.readouterr().out == (
        "At noon [1].\n\nSources\n[1] Tides [draft], page 4\n    “High water is at noon.”\n"
    )


def test_unsupported_sentences_are_pointed_out(capsys: pytest.CaptureFixture[str]) -> None:
    grounding = {"unsupported": [{"start": 0, "end": 5}]}
    ask("When?", collection=None, client=client(stream(delta("Maybe.", citations=[], grounding=grounding))))
    assert "1 sentence of this answer has no support" in capsys.readouterr().err


def test_a_collection_is_asked_as_a_model_of_its_own() -> None:
    seen: list[Any] = []
    ask("When?", collection="tides", client=client(stream(), seen))
    ask("When?", collection=None, client=client(stream(), seen))
    assert [request["model"] for request in seen] == ["pilothouse/tides", "pilothouse"]


def test_a_refusal_is_an_error_in_the_services_words(capsys: pytest.CaptureFixture[str]) -> None:
    refusal = httpx2.Response(404, json={"error": {"message": "There is no model 'pilothouse/x'."}})
    with pytest.raises(SystemExit) as raised:
        ask("When?", collection="x", client=client(refusal))
    assert raised.value.code == 1
    assert "There is no model 'pilothouse/x'." in capsys.readouterr().err


def test_an_answer_that_breaks_off_keeps_its_text_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    broken = stream(delta("At no"), {"error": {"message": "The model server went away."}})
    with pytest.raises(SystemExit):
        ask("When?", collection=None, client=client(broken))
    printed = capsys.readouterr()
    assert printed.out.startswith("At no")
    assert "The model server went away." in printed.err


def test_search_prints_passages_with_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    result = {
        "title": "Tides",
        "page": None,
        "heading": "Noon",
        "score": 0.5,
        "collection": "c",
        "text": "wet",
    }
    answer = httpx2.Response(200, json={"results": [result], "timings_ms": {"total": 7.4}})
    assert search("noon", collection="c", mode="lexical", limit=3, client=client(answer)) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("1. Tides › Noon  0.500 · c\n   wet")
    assert "1 result in 7 ms" in printed.err


def test_a_document_gives_no_orders_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    order = "\x1b]52;c;cm0=\x07\x9b2J"
    cited = {**CITATION, "title": f"Tides{order}", "quote": f"High{order} water."}
    ask("When?", collection=None, client=client(stream(delta(f"At{order} noon", citations=[cited]))))
    result = {**cited, "heading": order, "score": 0.5, "collection": "c", "text": order}
    found = httpx2.Response(200, json={"results": [result], "timings_ms": {"total": 1}})
    search("noon", collection="c", mode="lexical", limit=3, client=client(found))
    printed = capsys.readouterr().out
    assert printed.count("52;c;cm0=") == 6
    assert not {"\x1b", "\x07", "\x9b"} & set(printed)
