"""Tokens for full-text search, made in Python so that stock PostgreSQL serves every language.

Words of spaced scripts are lower-cased and, where they are plain ASCII, stemmed (English
Snowball). Scripts without spaces give single characters and pairs. Joined names such as
`max_connections`, `E-4017` or `targetTime` give the whole and their parts. PostgreSQL sees
the result as a ready-made tsvector, so its own parser and dictionaries play no part.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

import snowballstemmer

# Han, Hiragana, Katakana, Hangul, Thai, Lao, Khmer, Myanmar: written without spaces (or,
# for Hangul, with endings that pairs handle better than whole words).
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_DENSE}]+|(?:(?![{_DENSE}])\w)+(?:[._'’\-/:@](?:(?![{_DENSE}])\w)+)*")
_DENSE_RUN = re.compile(rf"[{_DENSE}]")
_PART = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APOSTROPHE_END = re.compile(r"['’](?:s|t|d|ll|re|ve|m)?$")

MAX_TOKEN = 64  # characters; longer runs are hashes or data, searched by their beginning
MAX_POSITION = 16_383  # PostgreSQL's limit for a position in a tsvector

# Words so common that they say nothing about a question. English, then Vietnamese, then
# single Chinese and Japanese characters.
STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but by can
    could did do does doing done each either else ever every few for from further get got had has have
    having he her here hers him his how however i if in into is it its itself just let like may me might
    more most much must my no nor not now of off on once one only or other our ours out over own per
    please same shall she should so some such tell than that the their theirs them then there these they
    this those through to too under until up upon us very was we were what when where whether which
    while who whom whose why will with within without would you your yours và là của có cho các những
    được trong khi một này đó thì mà với từ ở như nào gì không bị bởi để đã sẽ đang hay hoặc về tại ra
    vào lên xuống cũng rất
    的 了 是 在 和 与 及 或 有 吗 呢 吧 啊 也 都 就 而 被 把 对 于 从 到 这 那 个 们 之 其 什 么 怎 样 哪 谁
    を に が は の で と も へ や か ね よ
    """.split()  # noqa: SIM905  a list of 250 strings reads worse
)

_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=131_072)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def document_tokens(text: str) -> list[str]:
    """The tokens of a text, in text order, with repetitions."""
    return list(_tokens(text))


def query_tokens(text: str) -> list[str]:
    """The tokens of a question, each once; common words only when there is nothing else."""
    tokens = list(dict.fromkeys(_tokens(text, drop_stop_words=True)))
    return tokens or list(dict.fromkeys(_tokens(text)))


def tsvector_literal(tokens: Sequence[str]) -> str:
    """PostgreSQL's text form of a tsvector, to be cast with `::tsvector`."""
    positions: dict[str, list[int]] = {}
    for index, token in enumerate(tokens, start=1):
        positions.setdefault(token, []).append(min(index, MAX_POSITION))
    return " ".join(f"{_quote(token)}:{','.join(map(str, places))}" for token, places in positions.items())


def tsquery_literal(tokens: Iterable[str], operator: Literal["|", "&"] = "|") -> str:
    """PostgreSQL's text form of a tsquery, to be cast with `::tsquery`."""
    return f" {operator} ".join(_quote(token) for token in tokens)


def _tokens(text: str, *, drop_stop_words: bool = False) -> Iterator[str]:
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text)):
        run = match.group()
        if _DENSE_RUN.match(run):
            yield from _dense_tokens(run, drop_stop_words=drop_stop_words)
        else:
            yield from _word_tokens(run, drop_stop_words=drop_stop_words)


def _dense_tokens(run: str, *, drop_stop_words: bool) -> Iterator[str]:
    for index, character in enumerate(run):
        if not (drop_stop_words and character in STOP_WORDS):
            yield character
        pair = run[index : index + 2]
        if len(pair) == 2:
            yield pair


def _word_tokens(run: str, *, drop_stop_words: bool) -> Iterator[str]:
    run = _APOSTROPHE_END.sub("", run)
    parts = [piece for part in _PART.findall(run) for piece in _CAMEL.split(part)]
    if len(parts) > 1:
        yield run.lower()[:MAX_TOKEN]
    for part in parts:
        word = part.lower()[:MAX_TOKEN]
        if drop_stop_words and word in STOP_WORDS:
            continue
        yield _stem(word) if word.isascii() and word.isalpha() else word


def _quote(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
