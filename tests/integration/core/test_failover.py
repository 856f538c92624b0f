"""A database that goes away, comes back, or is no longer the primary, as services and people see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import psycopg
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr

from pilothouse_core.database import NotPrimaryError, Pool, connection_options, open_pool
from pilothouse_core.failover import RepeatingRoute, is_lost, repeatable
from pilothouse_core.http import create_service
from pilothouse_core.problem import Problem
from pilothouse_core.readiness import database_fault
from pilothouse_core.settings import DatabaseSettings, ServiceSettings
from support.database import Database
from support.gate import Gate, gated
from support.ingest import eventually

NOTES = "CREATE TABLE public.notes (id integer); GRANT ALL ON public.notes TO pilothouse_ingest"


def settings_of(database: Database, **more: object) -> DatabaseSettings:
    url = SecretStr(database.url("pilothouse_ingest"))
    return DatabaseSettings.model_validate({"url": url, "pool_max": 4, **more})


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[Gate]:
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute(NOTES)
    async with gated(database) as gate:
        yield gate


@pytest.fixture
async def pool(gate: Gate) -> AsyncIterator[Pool]:
    async with open_pool(settings_of(gate.database), application_name="test") as pool:
        yield pool


async def one(pool: Pool) -> object:
    async with pool.connection() as connection:
        return await (await connection.execute("SELECT 1")).fetchone()


async def test_after_an_outage_the_pool_is_back_at_once_however_long_it_was(pool: Pool, gate: Gate) -> None:
    """The pauses between attempts do not grow: the one who waits is served by the next, a second later."""
    await one(pool)
    await gate.shut()
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            async with pool.connection(timeout=2.5) as connection:
                await connection.execute("SELECT 1")
    await gate.open()
    async with asyncio.timeout(4):
        assert await one(pool) == (1,)


async def test_one_broken_connection_shows_that_the_others_are_broken_too(pool: Pool, gate: Gate) -> None:
    async with pool.connection() as a, pool.connection() as b, pool.connection() as c:
        pids = {connection.info.backend_pid for connection in (a, b, c)}
    assert len(pids) == 3
    gate.cut()
    # Trying three one after the other would take the pool's pauses of 0, 1 and 2 seconds.
    async with asyncio.timeout(2.5):
        assert await one(pool) == (1,)


async def test_a_server_that_only_reads_loses_its_connection(pool: Pool) -> None:
    used = []

    async def write() -> None:
        async with pool.connection() as connection:
            used.append(connection.info.backend_pid)
            # As on a primary that was demoted under a session.
            await connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            await connection.commit()
            await connection.execute("INSERT INTO public.notes VALUES (1)")

    for _ in range(5):
        with pytest.raises(NotPrimaryError):
            await write()
    assert len(set(used)) == 5


def test_writers_look_for_the_primary_and_what_the_url_says_stays() -> None:
    plain = DatabaseSettings(url=SecretStr("postgresql://db/pilothouse"))
    options = connection_options(plain, application_name="a", search_path="public")
    assert options["target_session_attrs"] == "primary"
    assert (options["connect_timeout"], options["tcp_user_timeout"]) == (5, 10_000)
    reading = connection_options(plain, application_name="a", search_path="public", read_only=True)
    assert "target_session_attrs" not in reading
    said = DatabaseSettings(
        url=SecretStr("postgresql://db/pilothouse?target_session_attrs=any&connect_timeout=9")
    )
    options = connection_options(said, application_name="a", search_path="public")
    assert not {"target_session_attrs", "connect_timeout"} & options.keys()


@pytest.mark.parametrize(
    ("state", "lost"),
    [("08006", True), ("57P01", True), ("40001", True), ("57014", False), ("53300", False)],
)
def test_only_what_a_new_connection_may_cure_is_tried_again(state: str, lost: bool) -> None:
    error = psycopg.errors.lookup(state)("told by the server")
    assert isinstance(error, psycopg.OperationalError)
    assert is_lost(error) is lost


@asynccontextmanager
async def notebook(pool: Pool, gate: Gate) -> AsyncIterator[httpx2.AsyncClient]:
    """A service over the pool. Each request breaks its connection once, before it has done anything."""
    broken: set[str] = set()

    async def break_once(request: Request) -> None:
        key = request.headers["x-break"]
        if key not in broken:
            broken.add(key)
            gate.cut()

    router = APIRouter(route_class=RepeatingRoute)

    @router.get("/notes")
    async def count(request: Request) -> int:
        async with pool.connection() as connection:
            await break_once(request)
            row = await (await connection.execute("SELECT count(*) FROM public.notes")).fetchone()
        assert row is not None
        return int(row[0])

    async def insert(request: Request) -> str:
        async with pool.connection() as connection:
            await break_once(request)
            await connection.execute("INSERT INTO public.notes VALUES (1)")
        return "stored"

    router.post("/notes")(insert)

    @router.post("/same-notes")
    @repeatable
    async def insert_again(request: Request) -> str:
        return await insert(request)

    @router.delete("/notes", status_code=204)
    async def delete(request: Request) -> None:
        async with pool.connection() as connection:
            deleted = await connection.execute("DELETE FROM public.notes")
            if deleted.rowcount == 0:
                raise Problem(status=404, code="note_not_found", title="No note", detail="There is none.")

    async def ready(_: Request) -> dict[str, str]:
        return {}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_service(ServiceSettings(), name="notes", title="Notes", lifespan=lifespan, ready=ready)
    app.include_router(router)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_a_read_whose_connection_breaks_is_answered_by_another(pool: Pool, gate: Gate) -> None:
    async with notebook(pool, gate) as client:
        response = await client.get("/notes", headers={"x-break": "once"})
    assert (response.status_code, response.json()) == (200, 0)


async def test_a_write_is_done_again_only_where_that_is_safe(pool: Pool, gate: Gate) -> None:
    async with notebook(pool, gate) as client:
        refused = await client.post("/notes", headers={"x-break": "a"})
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert refused.headers["retry-after"] == "2"
        assert (await client.post("/same-notes", headers={"x-break": "b"})).status_code == 200
        assert (await client.get("/notes", headers={"x-break": "a"})).json() == 1


async def test_a_deletion_whose_answer_was_lost_is_no_error(pool: Pool, gate: Gate) -> None:
    async with notebook(pool, gate) as client:
        await client.post("/same-notes", headers={"x-break": "a"})
        gate.doomed = b"DELETE FROM public.notes"
        assert (await client.delete("/notes")).status_code == 204
        assert (await client.delete("/notes")).status_code == 404


async def test_an_outage_shorter_than_the_pools_wait_is_only_slow(pool: Pool, gate: Gate) -> None:
    async with notebook(pool, gate) as client:
        await gate.shut()
        asking = asyncio.create_task(client.get("/notes", headers={"x-break": "once"}))

        async def waiting() -> int:
            return pool.get_stats()["requests_waiting"]

        await eventually(waiting, lambda count: count > 0)
        await gate.open()
        assert (await asking).status_code == 200


async def test_a_fault_of_the_database_is_said_in_words(pool: Pool, gate: Gate, database: Database) -> None:
    settings = settings_of(gate.database)
    assert await database_fault(pool, settings) is None
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("DELETE FROM public.pilothouse_migrations WHERE name = '0002_documents'")
        assert await database_fault(pool, settings) == (
            "It lacks 0002_documents. Run pilothouse-migrate of this version."
        )
        connection.execute("INSERT INTO public.pilothouse_migrations VALUES ('0099_new', 'contract')")
        assert "by a newer Pilothouse" in str(await database_fault(pool, settings))
        connection.execute("DROP TABLE public.pilothouse_migrations")
        assert await database_fault(pool, settings) == "It has not been migrated yet. Run pilothouse-migrate."
    await gate.shut()
    assert "It cannot be used: " in str(await database_fault(pool, settings))


async def test_a_pool_that_was_opened_before_the_first_migration_comes_alive_with_it(
    postgres_server: object, database: Database
) -> None:
    """Without the type `vector` no connection can be made ready."""
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("DROP SCHEMA documents CASCADE")
        connection.execute("DROP EXTENSION vector CASCADE")
        connection.execute("DROP TABLE public.pilothouse_migrations")
        settings = settings_of(database)
        async with open_pool(settings, application_name="test") as pool:
            assert (
                await database_fault(pool, settings)
                == "It has not been migrated yet. Run pilothouse-migrate."
            )
            connection.execute("CREATE EXTENSION vector")
            async with asyncio.timeout(5):
                assert await one(pool) == (1,)
