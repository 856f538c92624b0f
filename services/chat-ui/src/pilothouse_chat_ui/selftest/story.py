"""A document with a fact that stands nowhere else, and two questions: one it answers, one it does not."""

import secrets
from dataclasses import dataclass

QUESTION = "Which key opens the brass lamp of the Hvalnes lighthouse?"
FOREIGN_QUESTION = "How many moons does the planet Jupiter have?"


@dataclass(frozen=True, slots=True)
class Story:
    """What one run of the test uses; nothing of it is shared with another run."""

    name: str
    key: str

    @property
    def document(self) -> bytes:
        """The file. Before the fact stand characters of several bytes, which offsets count as one each."""
        text = (
            "Évening notes of the keeper – 灯塔 🗼\n\n"
            f"The key {self.key} opens the brass lamp of the Hvalnes lighthouse.\n\n"
            "The keeper writes down what was done, so that the next one knows.\n\n"
            "Gulls nest below the eastern window until the end of June.\n"
        )
        return text.encode()


def new_story() -> Story:
    """A story that no run before had."""
    return Story(f"selftest-{secrets.token_hex(6)}", f"K{secrets.randbelow(900_000) + 100_000}")
