"""The release's PostgreSQL cluster: who is primary, what is in it, whether one can write to it just now."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from support.cluster.kubectl import Object
from support.cluster.release import Release
from support.cluster.waiting import until

HEALTHY = "Cluster in healthy state"


@dataclass(frozen=True)
class Database:
    """What CloudNativePG runs for a release."""

    release: Release

    @property
    def name(self) -> str:
        return self.release.object_name("database")

    @property
    def cluster(self) -> Object:
        return self.release.namespace.get("clusters.postgresql.cnpg.io", self.name)

    @property
    def primary(self) -> str:
        return str(self.cluster["status"]["currentPrimary"])

    @property
    def instances(self) -> list[str]:
        return [str(name) for name in self.cluster["status"]["instanceNames"]]

    def node_of(self, instance: str) -> str:
        return str(self.release.namespace.get("pod", instance)["spec"]["nodeName"])

    def wait_until_healthy(self, *, seconds: float = 600) -> None:
        """Every instance is there, follows, and the primary is the one that is wanted."""

        def healthy() -> bool:
            cluster = self.cluster
            status = cluster.get("status", {})
            return bool(
                status.get("phase") == HEALTHY
                and status.get("readyInstances") == cluster["spec"]["instances"]
                and status.get("currentPrimary") == status.get("targetPrimary")
            )

        until(healthy, f"{self.name} healthy", seconds=seconds, explain=self.release.explain)

    def wait_for_another_primary(self, than: str, *, seconds: float = 300) -> str:
        return until(
            lambda: self.primary,
            f"a primary other than {than}",
            holds=lambda name: name != than,
            seconds=seconds,
            explain=self.release.explain,
        )

    def sql(self, statement: str) -> str:
        """What `psql` answers on the primary, as the superuser: rows as lines, columns separated by `|`."""
        command = ["psql", "-d", "pilothouse", "-v", "ON_ERROR_STOP=1", "-qAtc", statement]
        return self.release.namespace.execute(self.primary, command, container="postgres").strip()

    def counts(self) -> dict[str, int]:
        """Rows of every table of ours."""
        tables = self.sql(
            "SELECT schemaname || '.' || tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        ).split()
        selects = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
        rows = (line.split("|") for line in self.sql(selects).splitlines())
        return {table: int(count) for table, count in rows}


@dataclass
class WriteProbe:
    """Connects anew and writes one row, again and again: what any client of CloudNativePG would see."""

    address: str
    written: list[int] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    failures: int = 0

    @property
    def longest_gap(self) -> float:
        """Seconds, between two writes that were confirmed."""
        return round(
            max((b - a for a, b in zip(self.moments, self.moments[1:], strict=False)), default=0.0), 1
        )


@contextmanager
def write_probe(database: Database) -> Iterator[WriteProbe]:
    """Runs beside whatever the test does. Afterwards `missing` names confirmed rows that are gone."""
    service = database.release.namespace.get("service", f"{database.name}-rw")
    password = database.release.secret(f"{database.name}-app", "password")
    where = f"host={service['spec']['clusterIP']} dbname=pilothouse user=pilothouse password={password}"
    probe = WriteProbe(f"{where} sslmode=require connect_timeout=2 tcp_user_timeout=3000")
    with psycopg.connect(probe.address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS public.drill_probe")
        connection.execute("CREATE TABLE public.drill_probe (number integer PRIMARY KEY)")
    stop = threading.Event()
    thread = threading.Thread(target=_write, args=[probe, stop], daemon=True)
    thread.start()
    try:
        yield probe
    finally:
        stop.set()
        thread.join(timeout=60)
        database.wait_until_healthy()
        with psycopg.connect(probe.address, autocommit=True) as connection:
            there = {number for (number,) in connection.execute("SELECT number FROM public.drill_probe")}
            connection.execute("DROP TABLE public.drill_probe")
        probe.missing = sorted(set(probe.written) - there)


def _write(probe: WriteProbe, stop: threading.Event) -> None:
    number = 0
    while not stop.wait(0.1):
        number += 1
        try:
            with psycopg.connect(probe.address, autocommit=True) as connection:
                connection.execute("SET statement_timeout = '3s'")
                connection.execute("INSERT INTO public.drill_probe VALUES (%s)", [number])
        except psycopg.Error:
            probe.failures += 1
            continue
        probe.written.append(number)
        probe.moments.append(time.monotonic())
