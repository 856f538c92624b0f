"""A worker process whose embedder needs no model; the settings come from the environment."""

import asyncio

from pilothouse_core.telemetry import configure_logging
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.settings import IngestSettings
from pilothouse_ingest.worker import run_until_signal


def main() -> None:
    settings = IngestSettings()
    configure_logging(settings.log, service="test-worker")
    asyncio.run(run_until_signal(settings, embedder=HashEmbedder()))


if __name__ == "__main__":
    main()
