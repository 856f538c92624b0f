"""What the parts of ingest are given, and what they are not."""

import pytest

from support.charts.pods import own_pods
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
