"""One installed release: Helm's commands, and the ways into what it runs."""

import base64
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2
import yaml
from pydantic import SecretStr

from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from support.charts.helm import CHARTS, program
from support.cluster.diagnosis import diagnosis, is_ready
from support.cluster.kubectl import Namespace, Object
from support.cluster.waiting import until

PORTS = {"chat-ui": 8080, "ingest": 8081, "query": 8082, "inference": 8083, "embeddings": 8085}
# What must never grow when a pod restarts by itself: every component that is a Deployment.
DEPLOYMENTS = ("chat-ui", "ingest", "ingest-worker", "query", "inference", "embeddings")


class HelmFailed(Exception):
    """The message is what Helm said."""


@dataclass
class Release:
    """A release of the umbrella chart, or of another. `values` are laid over `files`, for upgrades too."""

    namespace: Namespace
    name: str = "pilothouse"
    chart: str = str(CHARTS / "pilothouse")
    files: Sequence[str] = ("values-cpu.yaml",)
    values: Object = field(default_factory=dict)
    helm: str = "helm4"

    def __str__(self) -> str:
        return f"{self.namespace.name}/{self.name}"

    # Helm

    def command(self, *arguments: str, seconds: float = 900) -> str:
        done = subprocess.run(
            [program(self.helm), *arguments, "--namespace", self.namespace.name],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise HelmFailed(f"helm {' '.join(arguments)}:\n{done.stderr}{done.stdout}")
        return done.stdout

    def install(self, *arguments: str, wait: bool = True, seconds: int = 600) -> str:
        return self._apply("install", *arguments, wait=wait, seconds=seconds)

    def upgrade(self, *arguments: str, wait: bool = True, seconds: int = 600) -> str:
        return self._apply("upgrade", *arguments, wait=wait, seconds=seconds)

    def rollback(self, revision: int = 0, *, seconds: int = 600) -> str:
        waiting = ("--wait", "--timeout", f"{seconds}s")
        return self._explained("rollback", self.name, str(revision), *waiting, seconds=seconds)

    def uninstall(self, *, seconds: int = 300) -> str:
        return self.command(
            "uninstall", self.name, "--wait", "--timeout", f"{seconds}s", seconds=seconds + 30
        )

    def test(self, *, seconds: int = 300) -> str:
        """`helm test`, with the test's own words whether it passes or not."""
        try:
            return self.command("test", self.name, "--logs", "--timeout", f"{seconds}s", seconds=seconds + 60)
        except HelmFailed as exc:
            raise HelmFailed(f"{exc}\n{diagnosis(self.namespace)}") from exc

    def _apply(self, verb: str, *arguments: str, wait: bool, seconds: int) -> str:
        files = [part for file in self.files for part in ("--values", str(Path(self.chart) / file))]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as values:
            yaml.safe_dump(self.values, values)
            values.flush()
            waiting = ["--wait", "--timeout", f"{seconds}s"] if wait else []
            # This machine looks up no names in the cluster, and no chart knows the addresses.
            open_page = (
                ["--set", "chat-ui.settings.AUTH_HOSTS="] if "pilothouse" in Path(self.chart).name else []
            )
            given = ["--values", values.name, *open_page]
            everything = [self.name, self.chart, *files, *given, *waiting, *arguments]
            return self._explained(verb, *everything, seconds=seconds)

    def _explained(self, verb: str, *arguments: str, seconds: int) -> str:
        try:
            return self.command(verb, *arguments, seconds=seconds + 60)
        except (HelmFailed, subprocess.TimeoutExpired) as exc:
            raise HelmFailed(f"{exc}\n{diagnosis(self.namespace)}") from exc

    # What runs

    def object_name(self, component: str) -> str:
        """As the library chart names the objects of a component."""
        if self.name == component or self.name.endswith(f"-{component}"):
            return self.name
        return f"{self.name}-{component}"

    def selector(self, component: str = "") -> str:
        of_it = f",app.kubernetes.io/component={component}" if component else ""
        return f"app.kubernetes.io/instance={self.name}{of_it}"

    def pods(self, component: str) -> list[Object]:
        """Its pods that are not on their way out."""
        found = self.namespace.list("pod", self.selector(component))
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, component: str) -> list[str]:
        return [str(pod["metadata"]["name"]) for pod in self.pods(component) if is_ready(pod)]

    def settled(self, component: str, *, seconds: int = 300) -> None:
        """Waits until the Deployment's last change is rolled out."""
        name = f"deployment/{self.object_name(component)}"
        self.namespace.kubectl("rollout", "status", name, f"--timeout={seconds}s", seconds=seconds + 30)

    def explain(self) -> str:
        return diagnosis(self.namespace)

    # Ways in

    def address(self, component: str) -> str:
        """Its Service, by address: this machine looks up no names in the cluster."""
        service = self.namespace.get("service", self.object_name(component))
        return f"http://{service['spec']['clusterIP']}:{PORTS[component]}"

    def secret(self, name: str, key: str) -> str:
        encoded = self.namespace.get("secret", name)["data"][key]
        return base64.b64decode(encoded).decode()

    def signer(self) -> Authenticator:
        """Signs as the services do, so that a test may be anybody."""
        key = SecretStr(self.secret(self.object_name("auth"), "key"))
        return Authenticator(AuthSettings(mode="token", key=key))

    def client(self, component: str, person: str = "tester", *groups: str) -> httpx2.Client:
        """An HTTP client of one component that speaks for a person.

        A Service leads to a pod only some time after Helm has seen that it is ready, so it is waited for.
        """
        self.serves(component)
        signer, principal = self.signer(), Principal(person, groups)

        def sign(request: httpx2.Request) -> None:
            request.headers.update(signer.headers(principal))

        return httpx2.Client(
            base_url=self.address(component), timeout=60, trust_env=False, event_hooks={"request": [sign]}
        )

    def answers(self, component: str) -> bool:
        try:
            return (
                httpx2.get(f"{self.address(component)}/readyz", timeout=10, trust_env=False).status_code
                == 200
            )
        except httpx2.TransportError:
            return False

    def serves(self, *components: str, seconds: float = 300) -> None:
        """Waits until each of these answers that it is ready."""
        for component in components or ("chat-ui", "query", "ingest"):
            until(
                partial(self.answers, component),
                f"{component} of {self} ready",
                seconds=seconds,
                explain=self.explain,
            )
