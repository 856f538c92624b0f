"""One poisonous file hurts only itself: limits and deaths of the parser processes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import ByteSize

from pilothouse_ingest.parsing.formats import MARKDOWN, PLAIN
from pilothouse_ingest.parsing.models import ParseError
from pilothouse_ingest.parsing.pool import ParserPool
from pilothouse_ingest.settings import ParsingSettings


async def parse(pool: ParserPool, data: bytes, media_type: str = PLAIN) -> str:
    async def slices() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 1 << 20):
            yield data[at : at + (1 << 20)]

    return (await pool.parse(slices(), size=len(data), media_type=media_type)).text


async def refusal(pool: ParserPool, data: bytes, media_type: str = PLAIN) -> ParseError:
    with pytest.raises(ParseError) as caught:
        await parse(pool, data, media_type)
    return caught.value


def settings(**changes: object) -> ParsingSettings:
    return ParsingSettings.model_validate({"processes": 1, **changes})


async def test_one_process_reads_many_files() -> None:
    async with ParserPool(settings()) as pool:
        assert [await parse(pool, f"text {n}".encode()) for n in range(30)] == [
            f"text {n}" for n in range(30)
        ]


async def test_a_process_is_replaced_after_its_share() -> None:
    async with ParserPool(settings(recycle_after=2)) as pool:
        assert [await parse(pool, b"text") for _ in range(5)] == ["text"] * 5


async def test_a_crash_fails_its_file_and_not_the_next() -> None:
    async with ParserPool(settings()) as pool:
        assert (await refusal(pool, b"text", "no/parser")).code == "parse_crashed"
        assert await parse(pool, b"fine") == "fine"


async def test_too_much_memory_fails_its_file_and_not_the_next() -> None:
    async with ParserPool(settings(memory=ByteSize(300 * 2**20))) as pool:
        error = await refusal(pool, b"a b c d \n\n" * 12_000_000)
        assert error.code == "parse_out_of_memory"
        assert "300 MiB" in error.detail
        assert await parse(pool, b"fine") == "fine"


async def test_a_file_that_takes_too_long_is_stopped() -> None:
    slow = b"|a|b|\n|-|-|\n" + b"|x|y|\n" * 400_000
    async with ParserPool(settings(wall_time=timedelta(seconds=0.5))) as pool:
        assert (await refusal(pool, slow, MARKDOWN)).code == "parse_timeout"
    async with ParserPool(settings(cpu_time=timedelta(seconds=0))) as pool:
        assert (await refusal(pool, slow, MARKDOWN)).code == "parse_timeout"
        assert await parse(pool, b"fine") == "fine"


async def test_a_text_longer_than_allowed_says_so() -> None:
    async with ParserPool(settings(max_characters=10)) as pool:
        error = await refusal(pool, b"eleven characters")
        assert error.code == "text_too_long"
        assert "17" in error.detail


async def test_a_parser_does_not_see_the_secrets_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    async def record(*arguments: str, env: dict[str, str], **options: object) -> None:
        seen.update(env)
        raise OSError

    monkeypatch.setenv("PILOTHOUSE_DATABASE_URL", "postgresql://user:secret@host/db")
    monkeypatch.setattr("asyncio.create_subprocess_exec", record)
    with pytest.raises(OSError, match=r"^$"):
        await parse(ParserPool(settings()), b"text")
    assert "PATH" in seen
    assert not any(name.startswith("PILOTHOUSE") for name in seen)
