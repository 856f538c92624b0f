"""What to search for when the last question leans on the ones before it. No model call."""

import re
from collections.abc import Sequence

from pilothouse_core.lexical import query_tokens

# A question with fewer words of its own than this names too little to be searched alone.
SHORT_QUESTION = 3
# Unless it is a whole sentence, as in "What is the capital of Mongolia?": two words of its own
# among so many in all.
WHOLE_SENTENCE = 6
LOOK_BACK = 3
CHARACTERS = 2_000

_LEANS = re.compile(
    r"""^\W*(?:
        and|but|or|so|also|why|how\s+so|how\s+about|what\s+about|what\s+else|who\s+else|then|
        in\s+that\s+case|for\s+example|more|tell\s+me\s+more|go\s+on|continue|explain|
        còn|thế|vậy|tại\s+sao|vì\s+sao|thì\s+sao|nữa|kể\s+thêm|tiếp
    )\b|^\W*(?:那|还有|另外|为什么|为何|然后|继续|再说|具体)|呢[?？]?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_POINTS_BACK = re.compile(
    r"""\b(?:it|its|they|them|their|theirs|this|these|those|he|she|him|her|his|there|
        the\s+(?:same|former|latter|first|second|third|last|other|above|previous)(?:\s+one)?|
        (?<!by\ )ones?(?!\s+by)|
        nó|chúng|họ|cái\s+(?:này|đó)|điều\s+(?:này|đó)|việc\s+(?:này|đó)|ở\s+đó|như\s+(?:vậy|thế))\b
    |[它他她]|这[个些样里]|那[个些样里]|其中|上述|前者|后者|该""",
    re.IGNORECASE | re.VERBOSE,
)
# `that` points back unless it only joins clauses ("settings that need a restart").
_THAT = re.compile(
    r"\b(?:is|was|does|did|do|about|of|for|with|in|like|change|use|set)\s+that\b|^that\b", re.I
)
_WHAT_THEN = re.compile(r"\s+thì\s+sao\W*$", re.IGNORECASE)
# Long enough to be searched by its own words even if it points back somewhere.
_SELF_SUFFICIENT = 8
# As many words in all as the shortest sentence that names its subject: "What is a collection?"
_SENTENCE = 4
_SENTENCE_CHARACTERS = 5  # 什么是段落？


def retrieval_query(questions: Sequence[str]) -> str:
    """The text to search for, given the user's questions, oldest first.

    The last question alone when it stands alone; otherwise with the questions it leans on.
    """
    recent = [question.strip() for question in questions if question.strip()][-LOOK_BACK:]
    if not recent:
        return ""
    parts = [recent[-1]]
    for earlier in reversed(recent[:-1]):
        if not leans_on_history(parts[0]):
            break
        parts.insert(0, earlier)
    return "\n".join(parts)[-CHARACTERS:]


def leans_on_history(question: str) -> bool:
    """Whether a question is hardly understood without what was said before."""
    if _LEANS.search(question):
        return True
    words = _words(question)
    if _POINTS_BACK.search(question) or _THAT.search(question):
        return words < _SELF_SUFFICIENT
    whole = words >= SHORT_QUESTION - 1 and len(question.split()) >= WHOLE_SENTENCE
    return words < SHORT_QUESTION and not whole


def may_stand_alone(question: str) -> bool:
    """Whether a question that leans may as well begin something new, as "What is a collection?" may."""
    own = _WHAT_THEN.sub("", _LEANS.sub("", question))
    dense = sum(character >= "\u2e80" and character.isalpha() for character in own)
    return (
        (len(own.split()) >= _SENTENCE or dense >= _SENTENCE_CHARACTERS)
        and _words(own) >= 1
        and not _POINTS_BACK.search(own)
        and not _THAT.search(own)
    )


def _words(question: str) -> float:
    """How many words a question has; two characters count as one where nothing parts words."""
    words = 0.0
    for piece in query_tokens(question):
        if piece[0] < "\u0e00":
            words += 1
        elif len(piece) == 1:
            words += 0.5
    return words
