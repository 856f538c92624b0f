"""Settings of the self-test. It reads the page's own variables, so it can run in the page's container."""

from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, Field, HttpUrl

from pilothouse_core.settings import Duration, ServiceSettings


class TargetSettings(BaseModel):
    """What is tested, and how patiently."""

    url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8080"), description="Address of the chat page that is tested."
    )
    wait: Duration = Field(
        default=timedelta(minutes=5), description="Longest time that one step of the test may take."
    )


class Settings(ServiceSettings):
    """Everything the self-test can be told."""

    auth_modes: ClassVar[frozenset[str]] = frozenset({"local", "token", "proxy", "none"})
    auth_secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    selftest: TargetSettings = Field(default_factory=TargetSettings)
