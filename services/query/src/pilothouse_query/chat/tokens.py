"""A safe guess of how many tokens a text is for a model whose vocabulary is not at hand."""

import math
import re

# Weights per piece, set so that no kind of text is guessed too low for SmolLM2's vocabulary (49 k,
# the smallest in use): prose comes out a fifth to a half too high, log lines and hashes about right.
_PIECE = re.compile(
    r"(?P<word>[A-Za-z]?[a-z]+|[A-Za-z]+)|(?P<space>\s+)|(?P<other>[^\x00-\x7f])|.", re.DOTALL
)
_LETTERS_PER_TOKEN = 4.0
_MESSAGE_OVERHEAD = 8  # role and turn marks of the chat template


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    total = 0.0
    for match in _PIECE.finditer(text):
        piece = match.group()
        if match["word"]:
            total += _word(piece)
        elif match["space"]:
            following = text[match.end() : match.end() + 1]
            # A blank is part of the word after it, but a token of its own before a digit.
            total += 0.2 + 0.3 * piece.count("\n") + (0.8 if following.isdigit() else 0)
        elif match["other"]:
            # Letters outside the vocabulary fall back to one token per byte, less the odd merge.
            total += len(piece.encode()) - 0.6
        else:
            total += 1.0
    return math.ceil(total)


def estimate_message(text: str) -> int:
    """Tokens of a text as a message of a chat."""
    return estimate_tokens(text) + _MESSAGE_OVERHEAD


def _word(word: str) -> float:
    """Vocabularies hold whole lower-case words, of capitals and code only bits."""
    if word[1:].islower() or len(word) == 1:
        return max(1.0, math.ceil(len(word) / _LETTERS_PER_TOKEN) * 0.8)
    return max(1.0, len(word) * 0.65)
