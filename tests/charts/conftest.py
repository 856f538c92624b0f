"""Every scenario, rendered once by each Helm."""

from collections.abc import Iterator

import pytest

from support.charts.helm import HELMS
from support.charts.scenario import Rendering, Renderings, scenarios


@pytest.fixture(scope="session")
def renderings() -> Iterator[Renderings]:
    renderings = Renderings()
    yield renderings
    renderings.close()


@pytest.fixture(params=[(s, helm) for s in scenarios() for helm in HELMS], ids=lambda p: f"{p[0]}-{p[1]}")
def rendering(request: pytest.FixtureRequest, renderings: Renderings) -> Rendering:
    """Of one scenario by one Helm."""
    return renderings.get(*request.param)
