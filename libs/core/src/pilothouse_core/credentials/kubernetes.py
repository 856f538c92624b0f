"""Credentials as Kubernetes Secrets: made when they are absent, never changed.

Templates that make up a password make up another one with every rendering; this runs in the
cluster instead, with a ServiceAccount that may get and create Secrets and nothing else.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from pilothouse_core.credentials import CredentialsError
from pilothouse_core.credentials.wanted import WantedSecret

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REQUEST_SECONDS = 10.0
PAUSE_SECONDS = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server, as a pod reaches it; `account` is the folder of the pod's ServiceAccount."""

    url: str
    account: Path

    @classmethod
    def around(cls, variables: Mapping[str, str], account: Path = ACCOUNT) -> "Cluster":
        """The cluster that this pod runs in. Raises `CredentialsError`."""
        host, port = variables.get("KUBERNETES_SERVICE_HOST"), variables.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise CredentialsError("This is not a pod: KUBERNETES_SERVICE_HOST is not set.")
        return cls(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", account)

    @property
    def namespace(self) -> str:
        """The pod's own."""
        return self._read("namespace")

    def headers(self) -> dict[str, str]:
        """Read anew each time: the token is replaced while the pod runs."""
        return {"authorization": f"Bearer {self._read('token')}"}

    def trust(self) -> ssl.SSLContext:
        """Only certificates of the cluster's own authority."""
        try:
            return ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        except (OSError, ssl.SSLError) as exc:
            raise CredentialsError(f"{self.account / 'ca.crt'} cannot be used: {exc}.") from exc

    def _read(self, name: str) -> str:
        try:
            return (self.account / name).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise CredentialsError(
                f"{self.account / name} cannot be read: {exc.strerror}. The pod needs its ServiceAccount's "
                "token mounted."
            ) from exc


class _NotNowError(CredentialsError):
    """It may be possible in a moment: the API server is away, or the Role is only just being made."""


def make_secrets(cluster: Cluster, wanted: list[WantedSecret], say: Say, *, seconds: float) -> None:
    """Makes what is absent; waits so long in all for an API server that is away or does not let us yet.

    Raises `CredentialsError`.
    """
    deadline = time.monotonic() + seconds
    with httpx2.Client(
        base_url=cluster.url, verify=cluster.trust(), timeout=REQUEST_SECONDS, trust_env=False
    ) as client:
        secrets = _Secrets(client, cluster)
        left, said = list(wanted), ""
        while left:
            try:
                say(secrets.ensure(left[0]))
                del left[0]
            except _NotNowError as exc:
                if time.monotonic() >= deadline:
                    raise
                if str(exc) != said:
                    said = str(exc)
                    say(said)
                time.sleep(PAUSE_SECONDS)


class _Secrets:
    def __init__(self, client: httpx2.Client, cluster: Cluster) -> None:
        self._client = client
        self._cluster = cluster
        self._namespace = cluster.namespace
        self._path = f"/api/v1/namespaces/{self._namespace}/secrets"

    def ensure(self, wanted: WantedSecret) -> str:
        found = self._request("GET", f"{self._path}/{wanted.name}")
        if found.status_code == httpx2.codes.NOT_FOUND:
            made = self._request("POST", self._path, wanted.manifest(self._namespace))
            if made.status_code == httpx2.codes.CREATED:
                return f"made {wanted.name} with {', '.join(sorted(wanted.keys()))}"
            if made.status_code != httpx2.codes.CONFLICT:
                raise self._refusal("create", wanted.name, made)
            # Somebody else was quicker; what they made counts.
            found = self._request("GET", f"{self._path}/{wanted.name}")
        if found.status_code != httpx2.codes.OK:
            raise self._refusal("get", wanted.name, found)
        missing = wanted.keys() - (found.json().get("data") or {}).keys()
        if missing:
            raise CredentialsError(
                f"The Secret {wanted.name} is there and has no {', '.join(sorted(missing))}. Nothing was "
                "changed. Add the key to it, or delete the Secret if nothing uses it; then it is made anew."
            )
        return f"kept {wanted.name}"

    def _request(self, method: str, path: str, body: dict[str, object] | None = None) -> httpx2.Response:
        try:
            response = self._client.request(method, path, json=body, headers=self._cluster.headers())
        except httpx2.TransportError as exc:
            raise _NotNowError(f"The API server does not answer: {type(exc).__name__}: {exc}.") from exc
        if response.status_code >= 500 or response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            raise _NotNowError(f"The API server is busy (status {response.status_code}).")
        return response

    def _refusal(self, verb: str, name: str, response: httpx2.Response) -> CredentialsError:
        said = _message(response)
        error: type[CredentialsError] = CredentialsError
        if response.status_code == httpx2.codes.FORBIDDEN:
            error = _NotNowError
            hint = (
                f" The pod's ServiceAccount needs a Role with get and create on secrets in {self._namespace}."
            )
        elif response.status_code == httpx2.codes.UNAUTHORIZED:
            hint = " The token of the pod's ServiceAccount is not accepted; start the pod anew."
        else:
            hint = ""
        return error(
            f"The API server refused to {verb} the Secret {name} (status {response.status_code}): "
            f"{said}.{hint} Or make the Secrets yourself and name them in the values."
        )


def _message(response: httpx2.Response) -> str:
    """The `message` of a Kubernetes Status."""
    try:
        body: Any = response.json()
        return str(body["message"])
    except (ValueError, KeyError, TypeError):
        return "it gave no reason"
