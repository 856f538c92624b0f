"""Calls that do not arrive are sent again, to whom that is worth it."""

import httpx2
import pytest

from pilothouse_core.reaching import reached


class Flaky:
    """Fails so many times in this way, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures = failures
        self.error = error
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "answer"


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError("Temporary failure in name resolution"),
        httpx2.ConnectTimeout("no answer"),
        httpx2.ReadError("reset"),
        httpx2.RemoteProtocolError("hung up"),
    ],
)
async def test_a_call_that_was_lost_is_sent_again(error: Exception) -> None:
    call = Flaky(2, error)
    assert await reached(call, patient=True) == "answer"
    assert call.calls == 3


async def test_with_who_is_known_to_be_away_nobody_waits() -> None:
    call = Flaky(1, httpx2.ConnectError("refused"))
    with pytest.raises(httpx2.ConnectError):
        await reached(call, patient=False)
    assert call.calls == 1


async def test_who_is_slow_is_not_asked_twice() -> None:
    call = Flaky(1, httpx2.ReadTimeout("slow"))
    with pytest.raises(httpx2.ReadTimeout):
        await reached(call, patient=True)
    assert call.calls == 1
