"""`python -m pilothouse_chat_ui.selftest`: 0 when everything works, 1 with the reason when not."""

import asyncio
import signal
import sys

from pilothouse_chat_ui.selftest.report import say
from pilothouse_chat_ui.selftest.run import run
from pilothouse_chat_ui.selftest.settings import Settings
from pilothouse_core.settings import read_settings


def main() -> None:
    """Reads the settings from the environment and tests."""
    settings = read_settings(Settings)
    sys.exit(0 if asyncio.run(_until_signal(settings)) else 1)


async def _until_signal(settings: Settings) -> bool:
    """A signal ends the test as a failure does: what it has made is deleted first."""
    test = asyncio.create_task(run(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, test.cancel)
    try:
        passed = await test
    except asyncio.CancelledError:
        passed = False
    say("Pilothouse works." if passed else "Pilothouse does not work as it should.")
    return passed


if __name__ == "__main__":
    main()
