"""Which Secrets are wanted: the file that the chart writes."""

import base64
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pilothouse_core.credentials import CredentialsError, random_text

Length = Annotated[int, Field(ge=16, le=1024)]


class WantedSecret(BaseModel):
    """A Secret; `data` is taken as it is, `random` says how many characters to make up for each key."""

    model_config = ConfigDict(extra="forbid")

    name: str
    type: str = "Opaque"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    data: dict[str, str] = {}
    random: dict[str, Length] = {}

    def keys(self) -> set[str]:
        """What the Secret must hold."""
        return {*self.data, *self.random}

    def manifest(self, namespace: str) -> dict[str, object]:
        """The object to create, with values made now."""
        values = {**self.data, **{key: random_text(length) for key, length in self.random.items()}}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": self.type,
            "metadata": {
                "name": self.name,
                "namespace": namespace,
                "labels": self.labels,
                "annotations": self.annotations,
            },
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
        }


class Wanted(BaseModel):
    """All Secrets of a release."""

    model_config = ConfigDict(extra="forbid")

    secrets: list[WantedSecret]


def read_wanted(path: Path) -> list[WantedSecret]:
    """Raises `CredentialsError`."""
    try:
        return Wanted.model_validate_json(path.read_bytes()).secrets
    except OSError as exc:
        raise CredentialsError(f"{path} cannot be read: {exc.strerror}.") from exc
    except ValidationError as exc:
        wrong = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in wrong["loc"])
        raise CredentialsError(f"{path} is not understood at {where!r}: {wrong['msg']}.") from exc
