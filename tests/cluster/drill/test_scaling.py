"""Workers grow with the queue by KEDA and shrink again; query grows with load by CPU. No job is lost."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest

from cluster.conftest import NewNamespace
from support.cluster.figures import Figures
from support.cluster.kubectl import Namespace, Object
from support.cluster.release import Release
from support.cluster.traffic.people import COLLECTION
from support.cluster.traffic.traffic import PERSON, prepare
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(2400)

DOCUMENTS = 120
MOST = 3
# Long enough that one worker alone is busy with them for a while.
TEXT = "Chapter {chapter} of book {book} tells about matter {matter} and what came of it.\n\n"

QUICKLY = {"pollingInterval": 5, "cooldownPeriod": 10, "threshold": 20}
VALUES: Object = {
    "database": {"networkPolicy": {"kedaNamespace": "keda"}},
    "ingest": {
        "worker": {
            "autoscaling": {
                "engine": "keda",
                "minReplicas": 1,
                "maxReplicas": MOST,
                "keda": QUICKLY,
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 30}},
            },
        }
    },
    "query": {
        "resources": {"requests": {"cpu": "50m", "memory": "150Mi"}},
        "autoscaling": {"engine": "hpa", "minReplicas": 1, "maxReplicas": MOST, "targetCPU": 50},
    },
}


@pytest.fixture(scope="module")
def release(new_namespace: NewNamespace) -> Release:
    if Namespace("keda").find("deployment", "keda-operator") is None:
        pytest.skip("KEDA is not in this cluster: up --keda")
    release = Release(new_namespace("scaling"), values=VALUES)
    release.install()
    prepare(release)
    return release


def replicas(release: Release, component: str) -> int:
    return int(
        release.namespace.get("deployment", release.object_name(component))["status"].get("readyReplicas", 0)
    )


def grown(release: Release, component: str, least: int) -> None:
    until(
        lambda: replicas(release, component),
        f"at least {least} of {component}",
        holds=lambda count: count >= least,
        seconds=600,
        explain=lambda: release.namespace.kubectl("describe", "hpa"),
    )


def test_workers_grow_with_the_queue_and_shrink_without_losing_a_job(
    release: Release, figures: Figures
) -> None:
    with release.client("ingest", PERSON) as client:
        before = client.get(f"/v1/collections/{COLLECTION}").raise_for_status().json()["document_count"]
        for book in range(DOCUMENTS):
            text = "".join(TEXT.format(book=book, chapter=c, matter=c * book) for c in range(200))
            files = {"file": (f"book-{book}.txt", text.encode())}
            client.post(f"/v1/collections/{COLLECTION}/documents", files=files).raise_for_status()
        started = time.monotonic()
        grown(release, "ingest-worker", 2)
        growing = time.monotonic() - started

        def indexed() -> int:
            return int(client.get(f"/v1/collections/{COLLECTION}").raise_for_status().json()["indexed_count"])

        until(
            indexed,
            "every document indexed",
            holds=lambda count: count == before + DOCUMENTS,
            seconds=1200,
            explain=release.explain,
        )
        done = time.monotonic() - started
    until(
        lambda: len(release.pods("ingest-worker")),
        "one worker left",
        holds=lambda count: count == 1,
        seconds=600,
        explain=lambda: release.namespace.kubectl("describe", "hpa"),
    )
    shrunk = time.monotonic() - started
    figures.add(
        "scaling",
        f"workers by KEDA, {DOCUMENTS} documents",
        **{"second replica after s": round(growing, 1), "done after s": round(done, 1)},
        **{"one replica again after s": round(shrunk, 1), "jobs lost": 0},
    )


def test_query_grows_under_load(release: Release, figures: Figures) -> None:
    started = time.monotonic()
    with searching(release):
        grown(release, "query", 2)
    figures.add("scaling", "query by CPU", **{"second replica after s": round(time.monotonic() - started, 1)})


@contextmanager
def searching(release: Release) -> Iterator[None]:
    """Several people search as fast as they can."""
    stop = threading.Event()

    def search() -> None:
        with release.client("query", PERSON) as client:
            while not stop.is_set():
                try:
                    client.post("/v1/search", json={"query": "what came of it", "top_k": 50})
                except httpx2.TransportError:
                    continue

    with ThreadPoolExecutor(4) as threads:
        working = [threads.submit(search) for _ in range(4)]
        try:
            yield
        finally:
            stop.set()
    for one in working:
        one.result()
