"""Who is asking: the one place where a request becomes a principal.

- `local`: everybody who reaches the loopback address is `local`.
- `token`: a caller carries `Authorization: Bearer <token>`, a JWT signed (HS256) with the key that
  the services share; it names the person, lives for a minute and is made anew per call. Programs
  may carry an API key instead.
- `proxy` (chat page): a proxy that has signed the person in names them in a header. Headers count
  only on connections from the proxy's own networks.
- `none` (chat page): everybody is `anonymous`.

In the last two modes a valid token or API key comes first.
"""

import hmac
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

import jwt
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.problem import Problem

TOKEN_SECONDS = 60
ISSUER = "pilothouse"
NAME_CHARACTERS = 256
# Around a header's value. Other blanks of Latin-1 are bytes of letters in UTF-8: the last one of `à`.
BLANKS = " \t"


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
ANONYMOUS = Principal("anonymous")


class Authenticator:
    """Makes principals from requests, and headers that carry a principal to another service."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._key = settings.key.get_secret_value() if settings.key else ""
        given = (settings.key, settings.previous_key)
        self._accepted = [key.get_secret_value() for key in given if key]
        self._programs = settings.named_keys()

    def authenticate(self, request: HTTPConnection) -> Principal:
        """The principal of a request. Raises a 401 `Problem` when there is none."""
        mode = self._settings.mode
        if mode == "local":
            return LOCAL
        try:
            return self._bearer(request)
        except Problem:
            # A proxy may pass its own token on, so a foreign one is no reason to refuse there.
            if mode == "token":
                raise
        return ANONYMOUS if mode == "none" else self._proxied(request)

    def headers(self, principal: Principal) -> dict[str, str]:
        """Headers that make another service see the same principal; none in local mode."""
        if self._settings.mode == "local":
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

    def _bearer(self, request: HTTPConnection) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("The request carries no token.")
        return self._program(token) or self._signed(token)

    def _program(self, token: str) -> Principal | None:
        """Every key is compared, each in constant time: how long it takes says nothing about them."""
        sent = token.encode("latin-1")
        names = [name for name, key in self._programs if hmac.compare_digest(sent, key)]
        return Principal(names[0]) if names else None

    def _signed(self, token: str) -> Principal:
        for key in self._accepted:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    issuer=ISSUER,
                    leeway=5,
                    options={"require": ["sub", "exp", "iss"]},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as exc:
                raise _unauthenticated("The token has expired.") from exc
            except jwt.InvalidTokenError as exc:
                raise _unauthenticated("The token is not valid.") from exc
            groups = claims.get("groups", [])
            if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
                raise _unauthenticated("The token's groups are not a list of names.")
            return Principal(str(claims["sub"]), tuple(groups))
        raise _unauthenticated("The token is not valid.")

    def _proxied(self, request: HTTPConnection) -> Principal:
        if not self._is_proxy(request.client.host if request.client else ""):
            raise _unauthenticated(
                "The request did not come through the sign-in proxy.", "Open the page by its proper address."
            )
        named = request.headers.getlist(self._settings.proxy_user_header)
        if len(named) != 1 or not named[0].strip(BLANKS):
            raise _unauthenticated("The sign-in proxy did not say who you are.", "Sign in again.")
        groups = ",".join(request.headers.getlist(self._settings.proxy_groups_header))
        names = (_name(part) for part in groups.split(",") if part.strip(BLANKS))
        return Principal(_name(named[0]), tuple(names))

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._settings.proxy_networks)


def bearer(key: SecretStr | None) -> dict[str, str]:
    """The header that carries an API key to a server of somebody else's; nothing without a key."""
    return {"authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def _name(header: str) -> str:
    """A name as the proxy meant it: headers come as Latin-1 and are sent as UTF-8."""
    try:
        name = header.strip(BLANKS).encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _unauthenticated("The sign-in proxy sent a name that is not UTF-8.", "Sign in again.") from exc
    if len(name) > NAME_CHARACTERS:
        raise _unauthenticated("The sign-in proxy sent a name that is too long.", "Sign in again.")
    return name


def _unauthenticated(what: str, remedy: str = "Sign in again, or send a valid API token.") -> Problem:
    return Problem(
        status=401,
        code="unauthenticated",
        title="Who is asking is not known",
        detail=f"{what} {remedy}",
        headers={"www-authenticate": "Bearer"},
    )
