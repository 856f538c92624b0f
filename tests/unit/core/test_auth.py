"""Principals: made in one place, carried by short-lived tokens."""

import jwt
import pytest
from pydantic import SecretStr, ValidationError
from starlette.requests import Request

from pilothouse_core.auth import ANONYMOUS, ISSUER, LOCAL, Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.problem import Problem

KEY = "k" * 32


def request_with(headers: dict[str, str], *, peer: str = "10.1.2.3") -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (peer, 40000)})


def page(mode: str, **settings: object) -> Authenticator:
    """The page's own authenticator in a mode."""
    given = {"mode": mode, "key": KEY, "proxy_networks": "10.0.0.0/8", **settings}
    return Authenticator(AuthSettings.model_validate(given))


def refusal(authenticator: Authenticator, request: Request) -> str:
    with pytest.raises(Problem) as refused:
        authenticator.authenticate(request)
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    return refused.value.detail


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


def test_a_token_of_the_previous_key_is_still_taken() -> None:
    old = page("token")
    new = page("token", key="n" * 32, previous_key=KEY)
    mai = Principal("mai")
    assert new.authenticate(request_with(old.headers(mai))) == mai
    assert new.authenticate(request_with(new.headers(mai))) == mai
    assert "not valid" in refusal(page("token", key="n" * 32), request_with(old.headers(mai)))


def test_an_api_key_names_the_program_that_holds_it() -> None:
    tokens = page("token", api_keys="robot:0123456789abcdef\nrobot:fedcba9876543210, cron:ß-0123456789abcd")
    for key, name in [
        ("0123456789abcdef", "robot"),
        ("fedcba9876543210", "robot"),
        ("ß-0123456789abcd", "cron"),
    ]:
        assert tokens.authenticate(request_with({"authorization": f"Bearer {key}"})) == Principal(name)
    assert "not valid" in refusal(tokens, request_with({"authorization": "Bearer 0123456789abcdeX"}))


def test_without_sign_in_everybody_is_anonymous_and_the_services_behind_know_it() -> None:
    none = page("none")
    assert none.authenticate(request_with({})) == ANONYMOUS
    assert page("token").authenticate(request_with(none.headers(ANONYMOUS))) == ANONYMOUS


@pytest.mark.parametrize("mode", ["proxy", "none"])
def test_a_valid_token_comes_before_what_the_proxy_says(mode: str) -> None:
    authenticator = page(mode, api_keys="robot:0123456789abcdef")
    headers = {"x-forwarded-user": "mai"}
    signed = request_with({**headers, **page("token").headers(Principal("binh"))})
    assert authenticator.authenticate(signed) == Principal("binh")
    keyed = request_with({**headers, "authorization": "Bearer 0123456789abcdef"})
    assert authenticator.authenticate(keyed) == Principal("robot")


def test_the_proxy_names_the_person_and_the_groups() -> None:
    headers = {
        "x-forwarded-user": "Nguyễn Mai",
        "x-forwarded-groups": "ops, nhóm-a,,",
        # Its own token, which it may pass on, is not ours.
        "authorization": "Bearer " + jwt.encode({"sub": "x"}, "another key of thirty-two bytes!"),
    }
    proxy = page("proxy")
    assert proxy.authenticate(request_with(headers)) == Principal("Nguyễn Mai", ("ops", "nhóm-a"))
    mapped = request_with({"x-forwarded-user": "mai"}, peer="::ffff:10.1.2.3")
    assert proxy.authenticate(mapped) == Principal("mai")


@pytest.mark.parametrize("name", ["Nicolà", "Trần Thị Hà", "王倅", "à", "…"])
def test_a_name_keeps_its_last_letter(name: str) -> None:
    headers = {"x-forwarded-user": f" {name}\t", "x-forwarded-groups": f"{name}, {name} ,ops"}
    assert page("proxy").authenticate(request_with(headers)) == Principal(name, (name, name, "ops"))


def test_other_header_names_can_be_agreed_with_the_proxy() -> None:
    proxy = page("proxy", proxy_user_header="Remote-User", proxy_groups_header="Remote-Groups")
    request = request_with({"remote-user": "mai", "remote-groups": "ops", "x-forwarded-user": "binh"})
    assert proxy.authenticate(request) == Principal("mai", ("ops",))


@pytest.mark.parametrize("peer", ["192.0.2.1", "::1", "", "not-an-address"])
def test_nobody_but_the_proxy_can_claim_to_be_somebody(peer: str) -> None:
    words = refusal(page("proxy"), request_with({"x-forwarded-user": "mai"}, peer=peer))
    assert "did not come through the sign-in proxy" in words


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-forwarded-user", b" ")],
        [(b"x-forwarded-user", b"mai"), (b"x-forwarded-user", b"binh")],
        [(b"x-forwarded-user", b"\xff")],
        [(b"x-forwarded-user", b"m" * 300)],
    ],
)
def test_a_name_that_is_missing_or_ambiguous_is_nobodys(headers: list[tuple[bytes, bytes]]) -> None:
    request = Request({"type": "http", "headers": headers, "client": ("10.1.2.3", 40000)})
    assert "sign-in proxy" in refusal(page("proxy"), request)
