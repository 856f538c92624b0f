"""Who may call, as settings; `auth.py` acts on them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

Network: TypeAlias = IPv4Network | IPv6Network

SIGNING_KEY_BYTES = 32
API_KEY_CHARACTERS = 16


def _networks(value: object) -> object:
    """Addresses with a prefix length (`10.244.0.0/16`) or without, separated by commas or blanks."""
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part, strict=False) for part in re.split(r"[,\s]+", value) if part)


def _names(value: object) -> object:
    """Host names without a port, separated by commas or blanks."""
    if not isinstance(value, str):
        return value
    return tuple(part.lower() for part in re.split(r"[,\s]+", value) if part)


class AuthSettings(BaseModel):
    """Who may call. See `pilothouse_core.auth`."""

    mode: Literal["local", "token", "proxy", "none"] = Field(
        default="local",
        description="`local`: everybody is the principal `local` and only this machine may call. "
        "`token`: callers carry a signed token or an API key. For the chat page also `proxy`: a proxy in "
        "front says who it is; and `none`: everybody is the principal `anonymous`.",
    )
    key: SecretStr | None = Field(
        default=None, description="Key that signs tokens between services; at least 32 bytes."
    )
    previous_key: SecretStr | None = Field(
        default=None, description="A second key whose tokens are accepted too, while the key is changed."
    )
    api_keys: SecretStr | None = Field(
        default=None,
        description="`name:key` pairs, separated by commas or white space; who sends the key as bearer "
        "token is the principal `name`. At least 16 characters each.",
    )
    proxy_user_header: str = Field(
        default="x-forwarded-user", min_length=1, description="Header in which the proxy names the person."
    )
    proxy_groups_header: str = Field(
        default="x-forwarded-groups",
        min_length=1,
        description="Header in which the proxy names the person's groups, separated by commas.",
    )
    proxy_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default=(),
        description="Networks of the proxy, separated by commas; nobody else's headers are believed.",
    )
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(),
        description="Names by which the service may be called, without port, separated by commas; default: "
        "any, and in local mode those of this machine. Another site's page can point its own name here.",
    )

    @model_validator(mode="after")
    def _secrets_are_strong(self) -> Self:
        for name, key in (("KEY", self.key), ("PREVIOUS_KEY", self.previous_key)):
            if key and len(key.get_secret_value().encode()) < SIGNING_KEY_BYTES:
                raise ValueError(f"PILOTHOUSE_AUTH_{name} must have at least {SIGNING_KEY_BYTES} bytes")
        self.named_keys()
        if self.mode == "proxy" and not self.proxy_networks:
            raise ValueError(
                "PILOTHOUSE_AUTH_MODE=proxy needs PILOTHOUSE_AUTH_PROXY_NETWORKS, the networks from which "
                "the proxy connects, such as 10.244.0.0/16; anybody else could claim to be anyone"
            )
        return self

    def named_keys(self) -> list[tuple[str, bytes]]:
        """The API keys with the names of the programs that hold them. A name may have several."""
        pairs = []
        given = self.api_keys.get_secret_value() if self.api_keys else ""
        for at, part in enumerate(filter(None, re.split(r"[,\s]+", given)), start=1):
            name, colon, key = part.partition(":")
            if not (name and colon and len(key) >= API_KEY_CHARACTERS):
                raise ValueError(
                    f"PILOTHOUSE_AUTH_API_KEYS: number {at} is not `name:key` with a key of at least "
                    f"{API_KEY_CHARACTERS} characters"
                )
            pairs.append((name, key.encode()))
        return pairs
