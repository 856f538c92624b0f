"""The chat service with a scripted query service behind it."""

from collections.abc import AsyncIterator

import pytest

from integration.chat_ui.replicas import Browser, Replica, replica, serving, settings_for
from integration.chat_ui.scripted_query import ScriptedQuery
from support.database import Database


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
