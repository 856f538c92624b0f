"""The list of images for mirrors. `make charts` writes it by running this file."""

from support.charts import contents
from support.charts.helm import CHARTS, HELMS
from support.charts.scenario import Renderings

PATH = CHARTS / "pilothouse" / "images.txt"
HEAD = (
    "# Every image that the charts may ask for, to be copied to a registry of one's own. Made by make charts."
)
REST = "# Only with other engines, poolers or backups"


def listing(renderings: Renderings) -> str:
    """What the default installation pulls, and then what other engines and options do."""
    always: set[str] = set()
    sometimes: set[str] = set()
    for rendering in renderings.all():
        if rendering.helm != HELMS[0] or rendering.scenario.install.files == ["values-airgapped.yaml"]:
            continue
        found = contents.images(rendering.own)
        if rendering.scenario.name == "defaults":
            always |= found
        sometimes |= found
    return "\n".join([HEAD, *sorted(always), "", REST, *sorted(sometimes - always), ""])


if __name__ == "__main__":
    PATH.write_text(listing(Renderings()), encoding="utf-8")
