"""When a passage supports a sentence."""

import pytest

from pilothouse_query.citations.support import Judge, Level, Passage

ENGLISH = Passage(
    1,
    "The backup runs every night at 2:30. Copies are kept for 30 days on the server Bergen. "
    "Encryption is not enabled by default.",
)
CHINESE = Passage(2, "备份每晚两点开始，保留30天。默认不加密。")


def judged(sentence: str, passage: Passage = ENGLISH) -> Level:
    return Judge([passage]).judge(sentence)[passage.n].level


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("Copies are kept for 30 days.", Level.CLEAR),
        ("Backup copies are kept for 30 days on a server.", Level.CLEAR),
        ("Copies are kept for 90 days.", Level.WEAK),
        ("Copies are kept for 30 days on the server Oslo.", Level.CITED),
        ("Encryption is enabled by default.", Level.WEAK),
        ("The backup encrypts holiday pictures of whales and dolphins.", Level.WEAK),
        ("Whales sing at dusk in the bay.", Level.UNRELATED),
        ("Sao chép được giữ trong ba tuần.", Level.UNKNOWN),
    ],
)
def test_words_numbers_names_and_negation_decide(sentence: str, level: Level) -> None:
    assert judged(sentence) is level


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("备份保留30天。", Level.CLEAR),
        ("备份保留90天。", Level.WEAK),
        ("默认加密。", Level.WEAK),
        ("鲸鱼在黄昏歌唱。", Level.UNRELATED),
        ("Copies are kept for a month.", Level.UNKNOWN),
    ],
)
def test_chinese_is_compared_by_pairs_of_characters(sentence: str, level: Level) -> None:
    assert judged(sentence, CHINESE) is level


def test_the_window_is_the_sentence_that_speaks() -> None:
    support = Judge([ENGLISH]).judge("Copies are kept for 30 days.")[1]
    assert ENGLISH.text[support.start : support.end] == "Copies are kept for 30 days on the server Bergen."


def test_thousands_separators_do_not_matter() -> None:
    passage = Passage(1, "The plant employs 1,250 people.")
    assert judged("The plant employs 1250 people.", passage) is Level.CLEAR


def test_a_heading_does_not_hide_the_sentence_that_says_not() -> None:
    passage = Passage(1, "# Encryption enabled by default\n\nEncryption is not enabled by default.")
    assert judged("Encryption is not enabled by default.", passage) is Level.CLEAR
