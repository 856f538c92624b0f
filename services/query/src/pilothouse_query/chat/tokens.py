"""A safe guess of how many tokens a text is for a model whose vocabulary is not at hand."""

import math
import re

# Pieces that byte-pair vocabularies rarely split further than counted here. Measured on SmolLM2's
# vocabulary, the smallest in use (49 k): English, Vietnamese, Chinese and code stay below the guess.
_PIECE = re.compile(r"[A-Za-z]+|\d|[^\x00-\x7f]|\s+|[^\sA-Za-z\d]")
_LETTERS_PER_TOKEN = 4.0
_MESSAGE_OVERHEAD = 8  # role and turn marks of the chat template


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    total = 0.0
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece[0] > "\x7f":
            # Byte-level fallback: one token per byte beyond the first for letters outside the vocabulary.
            total += len(piece.encode()) - 0.6
        elif piece[0].isspace():
            total += 0.2 + 0.3 * piece.count("\n")
        elif piece[0].isalpha():
            total += max(1.0, math.ceil(len(piece) / _LETTERS_PER_TOKEN) * 0.8)
        else:
            total += 1.0
    return math.ceil(total)


def estimate_message(text: str) -> int:
    """Tokens of a text as a message of a chat."""
    return estimate_tokens(text) + _MESSAGE_OVERHEAD
