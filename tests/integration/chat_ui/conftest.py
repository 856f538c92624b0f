"""The chat service with a scripted query service behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from integration.chat_ui.replicas import Browser, Replica, replica, serving, settings_for
from integration.chat_ui.scripted_query import ScriptedQuery
from support.database import Database, Server


@pytest.fixture
def query() -> ScriptedQuery:
    """What the query service says; tests change its scripts."""
    return ScriptedQuery()


@pytest.fixture
async def query_url(query: ScriptedQuery) -> AsyncIterator[str]:
    async with serving(query, lifespan=False) as url:
        yield url


@pytest.fixture
async def first(database: Database, query_url: str) -> AsyncIterator[Replica]:
    """One replica."""
    async with replica(settings_for(database, query=query_url)) as one:
        yield one


@pytest.fixture
async def browser(first: Replica) -> AsyncIterator[Browser]:
    """A browser at the first replica."""
    async with first.browser() as browser:
        yield browser


@pytest.fixture
async def second(database: Database, query_url: str) -> AsyncIterator[Replica]:
    """Another replica on the same database."""
    async with replica(settings_for(database, query=query_url)) as other:
        yield other


@dataclass(frozen=True, slots=True)
class Shared:
    """One replica for all tests of a module, for those that look only at sessions of their own."""

    browser: Browser
    query: ScriptedQuery


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(postgres_server: Server) -> AsyncIterator[Shared]:
    query = ScriptedQuery()
    with postgres_server.clone() as database:
        async with (
            serving(query, lifespan=False) as url,
            replica(settings_for(database, query=url)) as one,
            one.browser() as browser,
        ):
            yield Shared(browser, query)
