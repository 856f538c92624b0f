"""Principals: made in one place, carried by short-lived tokens."""

import jwt
import pytest
from pydantic import SecretStr, ValidationError
from starlette.requests import Request

from pilothouse_core.auth import ISSUER, LOCAL, Authenticator, Principal
from pilothouse_core.problem import Problem
from pilothouse_core.settings import AuthSettings

KEY = "k" * 32


def request_with(headers: dict[str, str]) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.fixture
def tokens() -> Authenticator:
    return Authenticator(AuthSettings(mode="token", key=SecretStr(KEY)))


def test_local_mode_has_one_principal_and_sends_no_headers() -> None:
    local = Authenticator(AuthSettings())
    assert local.authenticate(request_with({"authorization": "Bearer whatever"})) == LOCAL
    assert local.headers(LOCAL) == {}


def test_a_principal_survives_the_way_to_another_service(tokens: Authenticator) -> None:
    mai = Principal("mai", ("ops", "nhóm-a"))
    assert tokens.authenticate(request_with(tokens.headers(mai))) == mai


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not-a-token",
        jwt.encode({"iss": ISSUER, "sub": "mai", "exp": 1}, KEY, algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "sub": "mai", "exp": 9_999_999_999}, "x" * 32, algorithm="HS256"),
        jwt.encode({"iss": "else", "sub": "mai", "exp": 9_999_999_999}, KEY, algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "exp": 9_999_999_999}, KEY, algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "sub": "mai"}, KEY, algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "sub": "mai", "exp": 9_999_999_999}, None, algorithm="none"),
        jwt.encode(
            {"iss": ISSUER, "sub": "mai", "exp": 9_999_999_999, "groups": [1]}, KEY, algorithm="HS256"
        ),
    ],
)
def test_any_other_token_is_refused(tokens: Authenticator, token: str) -> None:
    with pytest.raises(Problem) as refused:
        tokens.authenticate(request_with({"authorization": f"Bearer {token}"}))
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")


def test_token_mode_needs_a_key_of_32_bytes() -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes"):
        AuthSettings(mode="token", key=SecretStr("short"))


def test_grants_name_everyone_the_person_and_the_groups() -> None:
    assert Principal("mai", ("ops",)).grants == ["everyone", "user:mai", "group:ops"]
