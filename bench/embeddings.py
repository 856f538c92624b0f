"""How fast the embedding server is, against sentence-transformers in a process of its own.

    python -m bench.embeddings --texts 512

Both get the same passages in batches of 32 and all cores. The last two figures are what a question waits for
its vector, on an idle server and while four others send passages without pause.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from statistics import median

import httpx2

from pilothouse_core.embedding import Embedder, SentenceTransformerEmbedder, TeiEmbedder
from pilothouse_core.settings import EmbeddingSettings

ROOT = Path(__file__).parents[1]
MODEL = ROOT / ".build" / "models" / "all-MiniLM-L6-v2"
QUESTION = "How often should I make a backup?"
QUESTIONS = 20
CROWD = 4


def passages(count: int) -> list[str]:
    """Pieces of the samples, of some 100 to 200 tokens."""
    words = " ".join(
        path.read_text(encoding="utf-8") for path in sorted((ROOT / "samples").glob("*.md"))
    ).split()
    sizes = (60, 90, 120)
    made = [" ".join(words[at : at + sizes[at % 3]]) for at in range(0, len(words) - 120, 7)]
    return [made[number % len(made)] for number in range(count)]


@contextmanager
def server() -> Iterator[str]:
    """The embedding server as a process; its address."""
    if not MODEL.is_dir():
        sys.exit(f"There is no model in {MODEL}. Run `make models`, which writes it.")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = {
        "PILOTHOUSE_ONNX_PATH": str(MODEL),
        "PILOTHOUSE_SERVER_PORT": str(port),
        "PILOTHOUSE_LOG_LEVEL": "ERROR",
    }
    child = subprocess.Popen([sys.executable, "-m", "pilothouse_model_server", "embeddings"], env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        while not answers(address):
            if child.poll() is not None:
                sys.exit("The embedding server ended before it was ready; what it said stands above.")
            time.sleep(0.1)
        yield address
    finally:
        child.terminate()
        child.wait()


def answers(address: str) -> bool:
    """Whether the server can be asked."""
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{address}/health", trust_env=False).status_code == 200
    return False


@asynccontextmanager
async def crowd(embedder: Embedder, texts: Sequence[str]) -> AsyncIterator[None]:
    """Others who send passages without pause."""

    async def send() -> None:
        while True:
            await embedder.embed_documents(texts[:32])

    tasks = [asyncio.create_task(send()) for _ in range(CROWD)]
    await asyncio.sleep(1)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def rate(embedder: Embedder, texts: Sequence[str]) -> float:
    """Texts per second."""
    await embedder.embed_documents(texts[:32])
    began = time.perf_counter()
    await embedder.embed_documents(texts)
    return round(len(texts) / (time.perf_counter() - began), 1)


async def wait_of_a_question(embedder: Embedder) -> float:
    """Milliseconds, the median of some."""
    waits = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        await embedder.embed_query(QUESTION)
        waits.append(1000 * (time.perf_counter() - began))
    return round(median(waits), 1)


async def measure(texts: Sequence[str]) -> dict[str, float]:
    """All figures."""
    figures = {}
    with server() as address:
        async with httpx2.AsyncClient(base_url=address, timeout=120) as client:
            tei = TeiEmbedder(client, batch_size=32)
            await tei.start()
            figures["server_texts_per_second"] = await rate(tei, texts)
            figures["question_ms"] = await wait_of_a_question(tei)
            async with crowd(tei, texts):
                figures["question_ms_in_a_crowd"] = await wait_of_a_question(tei)
    local = SentenceTransformerEmbedder(EmbeddingSettings())
    figures["sentence_transformers_texts_per_second"] = await rate(local, texts)
    figures["sentence_transformers_question_ms"] = await wait_of_a_question(local)
    local.close()
    return figures


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    print(json.dumps(asyncio.run(measure(passages(parser.parse_args().texts))), indent=1))


if __name__ == "__main__":
    main()
