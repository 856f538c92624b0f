"""Makes the installation's own passwords and keys once, and never changes one that is there."""

import secrets
import string

CHARACTERS = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    """Letters and digits: safe in a URL, a file and a shell."""
    return "".join(secrets.choice(CHARACTERS) for _ in range(length))


class CredentialsError(Exception):
    """They could not be made; the message says why and what to do, and holds none of them."""
