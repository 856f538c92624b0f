"""Settings that every service has, read from the environment.

Variables are `PILOTHOUSE_<GROUP>_<NAME>`: `PILOTHOUSE_DATABASE_URL` is `settings.database.url`.
A service subclasses `ServiceSettings` and adds its own groups.
"""

import sys
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.conninfo import conninfo_fault
from pilothouse_core.environment import Environment

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
    wait: Duration = Field(
        default=timedelta(seconds=30),
        description="How long a request waits for a connection; a little longer than a failover takes.",
    )
    statement_timeout: Duration = Field(
        default=timedelta(seconds=30), description="Longest time one statement may take."
    )

    @field_validator("url")
    @classmethod
    def _url_can_be_read(cls, url: SecretStr) -> SecretStr:
        if fault := conninfo_fault(url.get_secret_value()):
            raise ValueError(f"PILOTHOUSE_DATABASE_URL {fault}")
        return url


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
    key: SecretStr | None = Field(default=None, description="API key for the embedding server.")

    @model_validator(mode="after")
    def _tei_needs_url(self) -> Self:
        if self.backend == "tei" and self.url is None:
            raise ValueError("PILOTHOUSE_EMBEDDING_BACKEND=tei needs PILOTHOUSE_EMBEDDING_URL")
        return self


class ServiceSettings(BaseSettings):
    """The groups that every service has. Raises `pydantic.ValidationError` on a wrong value.

    `auth_modes` are the modes that the service can work in; of `auth_secrets` it needs at least one in
    any mode but `local`.
    """

    model_config = SettingsConfigDict(
        env_prefix="PILOTHOUSE_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="ignore",
        nested_model_default_partial_update=True,
    )
    auth_modes: ClassVar[frozenset[str]] = frozenset({"local", "token"})
    auth_secrets: ClassVar[frozenset[str]] = frozenset({"key", "api_keys"})

    server: ServerSettings = Field(default_factory=ServerSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  replaced
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  not used
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  not used
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment with its files."""
        return init_settings, Environment(settings_cls)

    @model_validator(mode="after")
    def _callers_can_be_known(self) -> Self:
        mode = self.auth.mode
        if mode not in self.auth_modes:
            raise ValueError(
                f"PILOTHOUSE_AUTH_MODE={mode} is for the chat page alone. Set it to token here; the page "
                "passes people's identity on with signed tokens"
            )
        if mode == "local":
            if not _is_loopback(self.server.host):
                raise ValueError(
                    f"PILOTHOUSE_AUTH_MODE=local trusts everybody who can connect, so it cannot listen on "
                    f"{self.server.host}. Set PILOTHOUSE_AUTH_MODE=token, or PILOTHOUSE_SERVER_HOST=127.0.0.1"
                )
        elif self.auth_secrets and not any(getattr(self.auth, name) for name in self.auth_secrets):
            wanted = " or ".join(f"PILOTHOUSE_AUTH_{name.upper()}" for name in sorted(self.auth_secrets))
            raise ValueError(f"PILOTHOUSE_AUTH_MODE={mode} needs {wanted}")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def read_settings(settings: type[SettingsT]) -> SettingsT:
    """The settings of this process; a wrong one ends it with a sentence that names the variable.

    The values themselves are not repeated: one of them may be a password.
    """
    try:
        return settings()
    except SettingsError as exc:
        wrong = [str(exc)]
    except ValidationError as exc:
        wrong = []
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            message = error["msg"].removeprefix("Value error, ")
            variable = "_".join(["PILOTHOUSE", *(str(part).upper() for part in error["loc"])])
            # A rule over several variables names them itself.
            wrong.append(f"  {message}" if "PILOTHOUSE_" in message else f"  {variable}: {message}")
    sys.exit("The settings are not right. Correct these variables and start again:\n" + "\n".join(wrong))
