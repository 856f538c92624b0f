"""What the parts of ingest are given, and what they are not."""

import pytest

from support.charts.helm import Object
from support.charts.pods import kinds, own_pods
from support.charts.scenario import rendered


@pytest.mark.parametrize("engine", ["job", "ray"])
def test_whoever_reads_the_files_of_strangers_has_no_key_of_the_callers(engine: str) -> None:
    keys = {"auth": {"previousKey": "previous-key", "apiKeysSecret": "api-keys"}, "bulk": {"engine": engine}}
    found: dict[str, set[str]] = {}
    for pod in own_pods(rendered("ingest-bulk", keys)):
        names = {v["name"] for container in pod.containers for v in container.get("env", [])}
        component = pod.labels["app.kubernetes.io/component"]
        found.setdefault(component, set()).update(name for name in names if "_AUTH_" in name)
    api = {"PILOTHOUSE_AUTH_KEY", "PILOTHOUSE_AUTH_PREVIOUS_KEY", "PILOTHOUSE_AUTH_API_KEYS"}
    assert found == {"ingest": api, "ingest-worker": set(), "ingest-bulk": set()}


@pytest.mark.parametrize("engine", ["job", "ray"])
def test_another_queue_is_another_job(engine: str) -> None:
    """Kueue lets nobody change the queue of one that is there."""

    def job(queue: str) -> Object:
        objects = rendered("ingest-bulk", {"bulk": {"engine": engine, "queueName": queue}})
        return next(kinds(objects, "Job", "RayJob"))

    assert job("batch")["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "batch"
    assert len({job(queue)["metadata"]["name"] for queue in ("batch", "night", "")}) == 3


@pytest.mark.parametrize("size", ["2Gi", "2.5G", "2097152Ki", "3000M"])
def test_a_tmp_that_the_largest_upload_fits_into_is_taken(size: str) -> None:
    values = {"global": {"maxUploadBytes": 2147483648}, "api": {"tmpSize": size}}
    assert rendered("ingest-alone", values)
