"""Settings that every service has, read from the environment.

Variables are `PILOTHOUSE_<GROUP>_<NAME>`: `PILOTHOUSE_DATABASE_URL` is `settings.database.url`.
A service subclasses `ServiceSettings` and adds its own groups.
"""

import sys
from datetime import timedelta
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


def _seconds(value: object) -> object:
    """Variables are text, and pydantic takes no number in text for a duration."""
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except ValueError:
        return value


Duration = Annotated[timedelta, BeforeValidator(_seconds), Field(ge=timedelta(0))]
"""A time in seconds (`2.5`) or ISO 8601 (`PT2.5S`)."""


class ServerSettings(BaseModel):
    """Where a service listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Port = Field(default=8000, description="TCP port to listen on.")
    grace: Duration = Field(
        default=timedelta(seconds=25),
        description="How long running requests may go on after SIGTERM.",
    )


class DatabaseSettings(BaseModel):
    """How a service reaches PostgreSQL."""

    url: SecretStr = Field(
        default=SecretStr("postgresql://localhost/pilothouse"),
        description="libpq URL of the database; may hold a password.",
    )
    pool_min: Annotated[int, Field(ge=0)] = Field(default=1, description="Connections kept open.")
    pool_max: Annotated[int, Field(ge=1)] = Field(default=10, description="Connections at most.")
    statement_timeout: Duration = Field(
        default=timedelta(seconds=30), description="Longest time one statement may take."
    )


class AuthSettings(BaseModel):
    """Who may call. See `pilothouse_core.auth`."""

    mode: Literal["local", "token"] = Field(
        default="local",
        description="`local`: everybody is the principal `local` and only this machine may call. "
        "`token`: callers carry a signed token.",
    )
    key: SecretStr | None = Field(
        default=None, description="Key that signs tokens between services; at least 32 bytes."
    )

    @model_validator(mode="after")
    def _token_needs_key(self) -> Self:
        if self.mode == "token" and (self.key is None or len(self.key.get_secret_value().encode()) < 32):
            raise ValueError("PILOTHOUSE_AUTH_MODE=token needs PILOTHOUSE_AUTH_KEY of at least 32 bytes")
        return self


class LogSettings(BaseModel):
    """What is logged and how."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level shown."
    )
    format: Literal["text", "json"] = Field(
        default="text", description="`text` for people, `json` for collectors."
    )


class EmbeddingSettings(BaseModel):
    """Which model makes the vectors, and where it runs."""

    backend: Literal["local", "tei"] = Field(
        default="local",
        description="`local`: sentence-transformers in this process. `tei`: an HTTP server that speaks "
        "Text Embeddings Inference.",
    )
    model: str = Field(
        default="all-MiniLM-L6-v2",
        description="`all-MiniLM-L6-v2` is the packaged one; otherwise a folder or a hub name.",
    )
    url: HttpUrl | None = Field(
        default=None, description="Address of the embedding server when the backend is `tei`."
    )
    batch_size: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=32, description="Texts embedded at once, and at most per request to a server."
    )
    threads: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="CPU threads of the local model; default: all cores."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30), description="Longest wait for one request to a server."
    )

    @model_validator(mode="after")
    def _tei_needs_url(self) -> Self:
        if self.backend == "tei" and self.url is None:
            raise ValueError("PILOTHOUSE_EMBEDDING_BACKEND=tei needs PILOTHOUSE_EMBEDDING_URL")
        return self


class ServiceSettings(BaseSettings):
    """The groups that every service has. Raises `pydantic.ValidationError` on a wrong value."""

    model_config = SettingsConfigDict(
        env_prefix="PILOTHOUSE_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    server: ServerSettings = Field(default_factory=ServerSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    log: LogSettings = Field(default_factory=LogSettings)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def read_settings(settings: type[SettingsT]) -> SettingsT:
    """The settings of this process; a wrong one ends it with a sentence that names the variable.

    The values themselves are not repeated: one of them may be a password.
    """
    try:
        return settings()
    except ValidationError as exc:
        wrong = []
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            variable = "_".join(["PILOTHOUSE", *(str(part).upper() for part in error["loc"])])
            wrong.append(f"  {variable}: {error['msg']}")
        sys.exit("The settings are not right. Correct these variables and start again:\n" + "\n".join(wrong))
