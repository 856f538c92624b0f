"""Figures that tests measure: written down as they come, never asserted on."""

import json
from pathlib import Path
from typing import Any

from support.charts.helm import ROOT
from support.cluster.traffic.promises import Promises
from support.cluster.traffic.records import Ledger

FOLDER = ROOT / ".build" / "drill"


class Figures:
    """`figures.json` and `report.md` in .build/drill. They outlast a run; newer rows replace older."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._json = folder / "figures.json"

    def add(self, table: str, row: str, **columns: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        tables = json.loads(self._json.read_text(encoding="utf-8")) if self._json.exists() else {}
        tables.setdefault(table, {})[row] = columns
        self._json.write_text(json.dumps(tables, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (self._folder / "report.md").write_text(
            "".join(map(_table, tables, tables.values())), encoding="utf-8"
        )

    def fault(self, name: str, ledger: Ledger, promises: Promises, **more: Any) -> None:
        """A row of the table of faults, and everything that was seen in a file of its own."""
        kinds = ledger.summaries()
        self.add(
            "faults",
            name,
            seconds=round(ledger.ended - ledger.began, 1),
            requests=sum(kind.requests for kind in kinds.values()),
            failed=sum(kind.failed for kind in kinds.values()),
            **{f"{kind} gap s": summary.longest_gap for kind, summary in kinds.items() if kind != "session"},
            **{
                "streams cut": ledger.counts["stream cut"],
                "opened again": ledger.counts["stream opened again"],
            },
            uploads=promises.uploads,
            messages=promises.messages,
            lost=len(promises.lost),
            twice=len(promises.twice),
            wrong=len(promises.wrong),
            **more,
        )
        name = name.replace(" ", "-").replace("/", "-")
        (self._folder / f"fault-{name}.txt").write_text(
            f"{ledger.table()}\n\n{json.dumps(ledger.figures(), indent=2)}\n\n"
            + "\n".join(promises.broken)
            + "\n",
            encoding="utf-8",
        )


def _table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [f"## {title}\n", f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(str(row.get(column, '')) for column in columns)} |")
    return "\n".join(lines) + "\n\n"
