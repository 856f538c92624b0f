"""Who may make the model work. Health, metrics and what the server tells about itself are open to all."""

from fastapi import Request

from pilothouse_core.auth import Authenticator


def known_caller(request: Request) -> None:
    """Raises a 401 `Problem` for a caller without a valid key or token; local mode knows everybody."""
    authenticator = request.app.state.authenticator
    assert isinstance(authenticator, Authenticator)
    authenticator.authenticate(request)
