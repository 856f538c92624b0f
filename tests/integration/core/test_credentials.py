"""Passwords and keys are made once, as Secrets or as files, and nobody is told them."""

import base64
import os
import shutil
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pilothouse_core.credentials import CredentialsError
from pilothouse_core.credentials.files import make_files
from pilothouse_core.credentials.kubernetes import Cluster, make_secrets
from pilothouse_core.credentials.wanted import WantedSecret, read_wanted
from support.fake_kubernetes import NAMESPACE, FakeKubernetes, make_certificate, serving

DATABASE = WantedSecret(
    name="r-database-query",
    type="kubernetes.io/basic-auth",
    labels={"app.kubernetes.io/instance": "r"},
    annotations={"helm.sh/resource-policy": "keep"},
    data={"username": "pilothouse_query"},
    random={"password": 32},
)
AUTH = WantedSecret(name="r-auth", random={"key": 48, "model-key": 48})
THEIRS = {"metadata": {"name": "r-auth"}, "data": {"key": "dGhlaXJz", "model-key": "dGhlaXJz"}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server() -> FakeKubernetes:
    return FakeKubernetes(token="token-of-the-account")


@pytest.fixture
def cluster(server: FakeKubernetes, certificate: Path, tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "token").write_text(server.token)
    (tmp_path / "namespace").write_text(NAMESPACE)
    shutil.copy(certificate, tmp_path / "ca.crt")
    with serving(server, certificate) as port:
        variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}
        yield Cluster.around(variables, tmp_path)


def refusal(cluster: Cluster, *wanted: WantedSecret) -> str:
    with pytest.raises(CredentialsError) as refused:
        make_secrets(cluster, list(wanted), lambda _: None, seconds=0)
    return str(refused.value)


def values(manifest: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}


def test_absent_secrets_are_made_with_what_the_chart_says(server: FakeKubernetes, cluster: Cluster) -> None:
    lines: list[str] = []
    make_secrets(cluster, [DATABASE, AUTH], lines.append, seconds=0)
    made = server.secrets["r-database-query"]
    assert made["type"] == "kubernetes.io/basic-auth"
    assert made["metadata"]["labels"] == DATABASE.labels
    assert made["metadata"]["annotations"] == DATABASE.annotations
    assert values(made)["username"] == "pilothouse_query"
    assert len(values(made)["password"]) == 32
    assert set(values(made)["password"]) <= set(string.ascii_letters + string.digits)
    assert lines == ["made r-database-query with password, username", "made r-auth with key, model-key"]


def test_a_second_run_changes_nothing_and_no_line_holds_a_value(
    server: FakeKubernetes, cluster: Cluster
) -> None:
    lines: list[str] = []
    make_secrets(cluster, [DATABASE, AUTH], lines.append, seconds=0)
    before = {name: values(manifest) for name, manifest in server.secrets.items()}
    make_secrets(cluster, [DATABASE, AUTH], lines.append, seconds=0)
    assert {name: values(manifest) for name, manifest in server.secrets.items()} == before
    assert lines[2:] == ["kept r-database-query", "kept r-auth"]
    secret = [text for held in before.values() for key, text in held.items() if key != "username"]
    assert not [line for line in lines for text in secret if text in line]


def test_what_somebody_else_made_in_between_counts(server: FakeKubernetes, cluster: Cluster) -> None:
    server.rival["r-auth"] = THEIRS
    lines: list[str] = []
    make_secrets(cluster, [AUTH], lines.append, seconds=0)
    assert lines == ["kept r-auth"]
    assert server.secrets["r-auth"] == THEIRS


def test_a_secret_without_a_key_that_is_needed_is_named(server: FakeKubernetes, cluster: Cluster) -> None:
    server.secrets["r-auth"] = {"metadata": {"name": "r-auth"}, "data": {"key": "eA=="}}
    words = refusal(cluster, AUTH)
    assert "r-auth is there and has no model-key. Nothing was changed" in words


@pytest.mark.parametrize("verb", ["get", "create"])
def test_a_role_that_may_not_is_said_with_its_remedy(
    server: FakeKubernetes, cluster: Cluster, verb: str
) -> None:
    server.verbs.discard(verb)
    words = refusal(cluster, AUTH)
    assert f"cannot {verb} resource" in words
    assert f"needs a Role with get and create on secrets in {NAMESPACE}" in words


def test_a_role_that_is_made_a_moment_later_is_waited_for(server: FakeKubernetes, cluster: Cluster) -> None:
    server.answers = [403, None, 403]
    lines: list[str] = []
    make_secrets(cluster, [AUTH], lines.append, seconds=60)
    assert ["refused to get" in lines[0], "refused to create" in lines[1]] == [True, True]
    assert lines[2:] == ["made r-auth with key, model-key"]


def test_a_token_that_is_not_accepted_is_said(server: FakeKubernetes, cluster: Cluster) -> None:
    server.token = "another"
    assert "token of the pod's ServiceAccount is not accepted" in refusal(cluster, AUTH)


def test_an_api_server_that_is_busy_for_a_moment_is_waited_for(
    server: FakeKubernetes, cluster: Cluster
) -> None:
    server.answers = [503, None, 500]
    lines: list[str] = []
    make_secrets(cluster, [AUTH], lines.append, seconds=60)
    assert lines[-1] == "made r-auth with key, model-key"
    assert lines[0] == "The API server is busy (status 503)."


def test_an_api_server_that_stays_away_is_an_error_in_words(cluster: Cluster) -> None:
    nobody = Cluster("https://127.0.0.1:1", cluster.account)
    assert "The API server does not answer: ConnectError" in refusal(nobody, AUTH)


def test_another_authoritys_certificate_is_not_trusted(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(make_certificate(folder), cluster.account / "ca.crt")
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(cluster, AUTH)


def test_outside_a_pod_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="not a pod"):
        Cluster.around({})
    pod = Cluster.around({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    assert pod.url == "https://[fd00::1]:443"
    with pytest.raises(CredentialsError, match="token mounted"):
        _ = pod.namespace


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"secrets": [{"name": "a", "random": {"key": 4}}]}', "secrets.0.random.key"),
        ('{"secrets": [{"name": "a", "rnadom": {}}]}', "secrets.0.rnadom"),
        ("{", "not understood"),
    ],
)
def test_a_wrong_list_of_wanted_secrets_is_explained(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "wanted.json").write_text(text)
    with pytest.raises(CredentialsError, match=says):
        read_wanted(tmp_path / "wanted.json")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def test_files_are_made_once_and_fit_together(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    make_files(folder, lambda _: None)
    made = contents(folder)
    assert set(made) == {
        *("auth-key", "model-key", "model-api-keys"),
        *("pilothouse.password", "pilothouse.pgpass"),
        *(
            f"pilothouse_{part}.{kind}"
            for part in ("ingest", "query", "chat")
            for kind in ("password", "pgpass")
        ),
    }
    assert len(made["auth-key"]) >= 32
    assert made["model-api-keys"] == f"query:{made['model-key']}"
    assert made["pilothouse_chat.pgpass"] == f"*:*:*:pilothouse_chat:{made['pilothouse_chat.password']}"
    lines: list[str] = []
    make_files(folder, lines.append)
    assert contents(folder) == made
    assert all(line.startswith("kept ") for line in lines)


def test_only_the_owner_and_its_group_read_them(tmp_path: Path) -> None:
    make_files(tmp_path, lambda _: None)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert {modes[name] for name in modes if not name.endswith(".pgpass")} == {0o440}
    assert {modes[name] for name in modes if name.endswith(".pgpass")} == {0o600}


def test_many_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda _: make_files(tmp_path, lambda _: None), range(8)))
    made = contents(tmp_path)
    assert made["model-api-keys"] == f"query:{made['model-key']}"


def test_a_password_of_somebodys_own_is_kept_and_written_as_libpq_reads_it(tmp_path: Path) -> None:
    (tmp_path / "pilothouse_query.password").write_text("a:b\\c\n")
    make_files(tmp_path, lambda _: None)
    assert contents(tmp_path)["pilothouse_query.pgpass"] == r"*:*:*:pilothouse_query:a\:b\\c"


def test_an_empty_file_and_a_place_that_cannot_be_written_are_explained(tmp_path: Path) -> None:
    (tmp_path / "auth-key").touch()
    with pytest.raises(CredentialsError, match="auth-key is empty"):
        make_files(tmp_path, lambda _: None)
    (tmp_path / "file").touch()
    with pytest.raises(CredentialsError, match=f"writable for uid {os.getuid()}"):
        make_files(tmp_path / "file" / "folder", lambda _: None)
