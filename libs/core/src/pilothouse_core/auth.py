"""Who is asking: the one place where a request becomes a principal.

In local mode everybody who reaches the loopback address is `local`. In token mode a
caller carries `Authorization: Bearer <token>`, a JWT signed (HS256) with the key that
the services share; it names the person, lives for a minute and is made anew per call.
"""

import time
from dataclasses import dataclass

import jwt
from starlette.requests import HTTPConnection

from pilothouse_core.problem import Problem
from pilothouse_core.settings import AuthSettings

TOKEN_SECONDS = 60
ISSUER = "pilothouse"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or program that asks, with the groups it belongs to."""

    subject: str
    groups: tuple[str, ...] = ()

    @property
    def grants(self) -> list[str]:
        """What an access list may name to let this principal in."""
        return ["everyone", f"user:{self.subject}", *(f"group:{name}" for name in self.groups)]


LOCAL = Principal("local")


class Authenticator:
    """Makes principals from requests, and headers that carry a principal to another service."""

    def __init__(self, settings: AuthSettings) -> None:
        self._local = settings.mode == "local"
        self._key = settings.key.get_secret_value() if settings.key else ""

    def authenticate(self, request: HTTPConnection) -> Principal:
        """The principal of a request. Raises a 401 `Problem` when there is none."""
        if self._local:
            return LOCAL
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("The request carries no token.")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                issuer=ISSUER,
                leeway=5,
                options={"require": ["sub", "exp", "iss"]},
            )
        except jwt.ExpiredSignatureError as exc:
            raise _unauthenticated("The token has expired.") from exc
        except jwt.InvalidTokenError as exc:
            raise _unauthenticated("The token is not valid.") from exc
        groups = claims.get("groups", [])
        if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
            raise _unauthenticated("The token's groups are not a list of names.")
        return Principal(str(claims["sub"]), tuple(groups))

    def headers(self, principal: Principal) -> dict[str, str]:
        """Headers that make another service see the same principal; none in local mode."""
        if self._local:
            return {}
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": principal.subject,
            "groups": list(principal.groups),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        return {"authorization": f"Bearer {jwt.encode(claims, self._key, algorithm='HS256')}"}


def _unauthenticated(what: str) -> Problem:
    return Problem(
        status=401,
        code="unauthenticated",
        title="Who is asking is not known",
        detail=f"{what} Sign in again, or send a valid API token.",
        headers={"www-authenticate": "Bearer"},
    )
