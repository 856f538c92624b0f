"""`pilothouse ask` and `pilothouse search`."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
from rich.markup import escape

from pilothouse.client import reason
from pilothouse.output import err, fail, out, plain, plural

_QUOTE_CHARACTERS = 300


def ask(question: str, *, collection: str | None, client: httpx2.Client) -> int:
    """Print the answer as it comes, then its sources; the exit status of the command."""
    request = {
        "model": f"pilothouse/{collection}" if collection else "pilothouse",
        "messages": [{"role": "user", "content": question}],
        "stream": True,
    }
    last: dict[str, Any] = {}
    with client.stream("POST", "/v1/chat/completions", json=request) as response:
        if response.is_error:
            response.read()
            fail(reason(response))
        for chunk in _chunks(response):
            if "error" in chunk:
                out.print()
                fail(str(chunk["error"].get("message", "The answer broke off.")))
            for choice in chunk.get("choices", ()):
                out.print(plain(choice["delta"].get("content") or ""), end="", markup=False)
            if "citations" in chunk:
                last = chunk
    out.print()
    _print_sources(last)
    return 0


def search(query: str, *, collection: str | None, mode: str, limit: int, client: httpx2.Client) -> int:
    """Print the best passages."""
    request = {"query": query, "mode": mode, "top_k": limit}
    if collection:
        request["collections"] = [collection]
    response = client.post("/v1/search", json=request)
    if response.is_error:
        fail(reason(response))
    body = response.json()
    for number, result in enumerate(body["results"], start=1):
        place = _place(result)
        out.print(
            f"[bold]{number}. {escape(place)}[/]  [dim]{result['score']:.3f} · {result['collection']}[/]"
        )
        out.print(f"   {_shortened(result['text'])}\n", markup=False)
    if not body["results"]:
        out.print("Nothing was found.")
    err.print(
        f"{plural(len(body['results']), 'result')} in {body['timings_ms']['total']:.0f} ms", style="dim"
    )
    return 0


def _chunks(response: httpx2.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        yield json.loads(data)


def _print_sources(last: dict[str, Any]) -> None:
    citations = last.get("citations") or []
    if citations:
        out.print("\n[bold]Sources[/]")
    shown = 0
    for citation in citations:
        if citation["n"] != shown:
            shown = citation["n"]
            out.print(f"[bold cyan]\\[{shown}][/] [bold]{escape(_place(citation))}[/]")
        out.print(f"    “{_shortened(citation['quote'])}”", markup=False)
    unsupported = (last.get("grounding") or {}).get("unsupported") or []
    if unsupported:
        count = plural(len(unsupported), "sentence")
        verb = "has" if len(unsupported) == 1 else "have"
        err.print(f"\n{count} of this answer {verb} no support in the documents.", style="yellow")


def _place(source: dict[str, Any]) -> str:
    page = f", page {source['page']}" if source.get("page") else ""
    heading = f" › {source['heading']}" if source.get("heading") else ""
    return plain(f"{source['title']}{page}{heading}")


def _shortened(text: str) -> str:
    line = plain(" ".join(text.split()))
    if len(line) <= _QUOTE_CHARACTERS:
        return line
    return line[:_QUOTE_CHARACTERS].rsplit(" ", 1)[0] + " …"
