"""One scenario is one file in tests/charts/scenarios: what is installed, and what was there before."""

import functools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from support.charts.helm import CHARTS, HELMS, OPERATORS, ROOT, Install, Object, Refused, objects_in

FOLDER = ROOT / "tests" / "charts" / "scenarios"


@dataclass(frozen=True)
class External:
    """What does not come with the release: an operator, a cluster or another team has made it."""

    secrets: dict[str, list[str]] = field(default_factory=dict)
    configMaps: dict[str, list[str]] = field(default_factory=dict)
    claims: list[str] = field(default_factory=list)
    serviceAccounts: list[str] = field(default_factory=list)
    resourceClaims: list[str] = field(default_factory=list)
    objectStores: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    # Names of objects that come from `extraObjects`: the operator's own, so the house's rules do not hold.
    objects: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    name: str
    install: Install
    external: External
    # Whether every pod must have a NetworkPolicy for each direction.
    fenced: bool = True

    def __str__(self) -> str:
        return self.name

    def also(self, **changes: object) -> "Scenario":
        """The same with other arguments of `Install`."""
        return replace(self, install=replace(self.install, **changes))  # type: ignore[arg-type]


def merged(below: Object, above: Object) -> Object:
    """Two sets of values as Helm lays one over the other."""
    result = dict(below)
    for key, value in above.items():
        old = below.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def read(path: Path) -> Scenario:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    install = Install(
        chart=CHARTS / content.pop("chart", "pilothouse"),
        release=content.pop("release", "pilothouse"),
        files=content.pop("files", []),
        values=content.pop("values", {}),
        apis=content.pop("apis", OPERATORS),
        kubernetes=content.pop("kubernetes", "1.32") + ".0",
    )
    external = External(**content.pop("external", {}))
    fenced = content.pop("fenced", True)
    content.pop("anchors", None)
    if content:
        raise ValueError(f"{path}: unknown keys {', '.join(content)}")
    return Scenario(path.stem, install, external, fenced)


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    return tuple(read(path) for path in sorted(FOLDER.glob("*.yaml")))


@dataclass(frozen=True)
class Rendering:
    """One scenario, rendered by one Helm."""

    scenario: Scenario
    helm: str
    text: str

    @functools.cached_property
    def objects(self) -> list[Object]:
        return objects_in(self.text)

    @property
    def own(self) -> list[Object]:
        """Without what the operator added through `extraObjects`."""
        return [o for o in self.objects if o["metadata"]["name"] not in self.scenario.external.objects]


def rendered(name: str, values: Object, helm: str = HELMS[0]) -> list[Object]:
    """The objects of a scenario with values laid over its own."""
    begin = next(s for s in scenarios() if s.name == name)
    return objects_in(begin.also(values=merged(begin.install.values, values)).install.render(helm))


class Renderings:
    """Renders every scenario once and in the background; a test waits only for the one it wants."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=2)
        self._futures: dict[tuple[str, str], Future[Rendering]] = {
            (scenario.name, helm): self._threads.submit(self._render, scenario, helm)
            for scenario in scenarios()
            for helm in HELMS
        }

    def get(self, scenario: Scenario, helm: str) -> Rendering:
        """Raises Refused when Helm refuses."""
        return self._futures[scenario.name, helm].result()

    def all(self) -> Iterator[Rendering]:
        """Of those that Helm did not refuse; a refusal is the matter of another test."""
        for future in self._futures.values():
            if not isinstance(future.exception(), Refused):
                yield future.result()

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    @staticmethod
    def _render(scenario: Scenario, helm: str) -> Rendering:
        return Rendering(scenario, helm, scenario.install.render(helm))
