"""The citation checker, by example and by property."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse_query.citations.checker import Checked, CitationChecker
from pilothouse_query.citations.scanner import marker_numbers
from pilothouse_query.citations.support import Passage

PASSAGES = [
    Passage(1, "The backup runs every night at 2:30. Copies are kept for 30 days on the server."),
    Passage(2, "备份每晚两点开始。副本保留三十天。"),
    Passage(3, "Sao lưu chạy mỗi đêm lúc 2 giờ. Bản sao được giữ trong 30 ngày."),
]


def check(text: str, passages: list[Passage] = PASSAGES) -> Checked:
    checker = CitationChecker(passages)
    sent = checker.feed(text) + checker.finish()
    result = checker.result()
    assert result.text == sent
    return result


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        # Numbers that are not in the prompt go, with the blank before them.
        ("Copies are kept for 30 days [1, 9].", "Copies are kept for 30 days [1]."),
        ("Copies are kept for 30 days [9][1].", "Copies are kept for 30 days [1]."),
        ("It is a pleasant place [7].", "It is a pleasant place."),
        # Every way of writing a number becomes [n].
        ("Copies are kept for 30 days 【1†source】.", "Copies are kept for 30 days [1]."),
        ("Copies are kept for 30 days [Source 1].", "Copies are kept for 30 days [1]."),
        ("Copies are kept for 30 days. [1]", "Copies are kept for 30 days. [1]"),
        ("副本保留三十天【2】。", "副本保留三十天[2]。"),
        # A sentence that a passage clearly supports gets its number.
        ("Copies are kept for 30 days.", "Copies are kept for 30 days [1]."),
        ("副本保留三十天。", "副本保留三十天[2]。"),
        ("- Bản sao được giữ trong 30 ngày\n", "- Bản sao được giữ trong 30 ngày [3]\n"),
        ("**Copies are kept for 30 days.**", "**Copies are kept for 30 days [1].**"),
        # A wrong number is put right when another passage clearly says it.
        ("Copies are kept for 30 days [2].", "Copies are kept for 30 days [1]."),
        # A number whose passage has nothing to do with the sentence goes.
        ("The whales of the bay sing at dusk [1].", "The whales of the bay sing at dusk."),
        # What is no citation stays.
        ("See [1](http://a.b/c) and [text] and [2019].", "See [1](http://a.b/c) and [text] and [2019]."),
        ("Call `items[9]` or \\[9\\].", "Call `items[9]` or \\[9\\]."),
        ("```\nx[9] = y[1]\n```\n", "```\nx[9] = y[1]\n```\n"),
        ("# Copies kept for 30 days\n", "# Copies kept for 30 days\n"),
        ("How long are copies kept for 30 days?", "How long are copies kept for 30 days?"),
        ("- [x] done\n- [ ] open\n", "- [x] done\n- [ ] open\n"),
    ],
)
def test_what_is_written_becomes_what_is_shown(written: str, shown: str) -> None:
    assert check(written).text == shown


def test_unsupported_sentences_are_reported_where_they_stand() -> None:
    result = check("Copies are kept for 30 days. Whales sing at dusk. 副本保留三十天。")
    assert [result.text[start:end] for start, end in result.unsupported] == ["Whales sing at dusk."]
    assert (result.sentences, result.supported) == (3, 2)


def test_a_wrong_figure_is_not_supported_even_with_a_number() -> None:
    result = check("Copies are kept for 90 days [1].")
    assert result.supported == 0
    assert len(result.unsupported) == 1


def test_a_citation_points_at_the_sentence_that_says_it() -> None:
    (cited,) = check("Copies are kept for 30 days [1].").citations
    assert PASSAGES[0].text[cited.start : cited.end] == "Copies are kept for 30 days on the server."


def test_small_talk_claims_nothing() -> None:
    assert check("Sure! Here you are:\n").sentences == 0


def test_text_flows_before_the_sentence_ends() -> None:
    checker = CitationChecker(PASSAGES)
    assert checker.feed("Copies are kept") == "Copies are kept"


@pytest.mark.parametrize(
    ("inside", "numbers"),
    [
        ("1", (1,)),
        ("1, 2", (1, 2)),
        ("1-3", (1, 2, 3)),
        ("Source 2", (2,)),
        ("来源 2", (2,)),
        ("3 and 1", (3, 1)),
        ("^4", (4,)),
        ("2†L1-L5", (2,)),
        ("2019", ()),
        ("a", ()),
        ("1a", ()),
        ("", ()),
        ("1.5", ()),
    ],
)
def test_what_counts_as_a_citation(inside: str, numbers: tuple[int, ...]) -> None:
    assert marker_numbers(inside) == numbers


PIECES = st.sampled_from(
    [
        "Copies are kept for 30 days", "副本保留三十天", "Bản sao được giữ trong 30 ngày", "Whales sing",
        "e.g. ", "3.5", "[1]", "[2, 9]", "[7]", "【3†source】", "[Source 1]", "[text]", "[1](http://a.b)",
        "[", "]", "(", ")", ".", "。", "!", "?", "…", " ", "  ", "\n", "\n\n", "- ", "1. ", "# ", "| a | b |",
        "`", "`x[1]`", "```", "```py\nx[9]\n```\n", "~~~\n", "**", '"', "”", ":", "\\", "🎉",
    ]
)  # fmt: skip
ANSWERS = st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join)


@settings(deadline=None)
@given(text=ANSWERS, data=st.data())
def test_the_result_does_not_depend_on_how_the_stream_was_cut(text: str, data: st.DataObject) -> None:
    whole = check(text)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=12)))
    checker = CitationChecker(PASSAGES)
    sent = ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        sent += checker.feed(text[start:end])
    sent += checker.finish()
    assert sent == whole.text
    assert checker.result() == whole


MARKED = re.compile(r"source|[\s\d\[\]【】［］,†]", re.IGNORECASE)


@settings(deadline=None)
@given(text=ANSWERS)
def test_nothing_but_markers_and_white_space_changes(text: str) -> None:
    assert MARKED.sub("", check(text).text) == MARKED.sub("", text)


@settings(deadline=None)
@given(text=ANSWERS)
def test_what_is_cited_and_reported_lies_where_it_says(text: str) -> None:
    result = check(text)
    lengths = {passage.n: len(passage.text) for passage in PASSAGES}
    assert all(0 <= cited.start < cited.end <= lengths[cited.n] for cited in result.citations)
    assert all(0 <= start < end <= len(result.text) for start, end in result.unsupported)
    assert result.supported + len(result.unsupported) == result.sentences
    assert all(not result.text[start:end][0].isspace() for start, end in result.unsupported)


@settings(deadline=None)
@given(text=ANSWERS)
def test_every_citation_shown_in_prose_is_of_the_prompt(text: str) -> None:
    passages = [Passage(1, PASSAGES[0].text)]
    prose = re.sub(r"`[^`\n]*`?|~~~.*|```.*", "", text, flags=re.DOTALL)
    # Brackets around brackets are no way of citing; taking out the inner ones may leave a number.
    prose = re.sub(r"[`\\~]|[\[【［](?=[\[【［])", "", prose)
    shown = check(prose, passages).text
    assert not re.search(r"\[(?:[2-9])\](?!\()", shown)


@settings(deadline=None)
@given(code=st.text(alphabet=st.characters(exclude_characters="`\r", exclude_categories=["Cs"]), max_size=60))
def test_code_blocks_are_left_alone(code: str) -> None:
    block = f"```\n{code}\n```\n"
    assert check(block).text == block


def test_every_sentence_that_is_cited_opens_its_own_words() -> None:
    text = "Copies are kept for 30 days [1]. Bản sao được giữ trong 30 ngày [3]."
    quoted = [(item.n, PASSAGES[item.n - 1].text[item.start : item.end]) for item in check(text).citations]
    assert quoted == [
        (1, "Copies are kept for 30 days on the server."),
        (3, "Bản sao được giữ trong 30 ngày."),
    ]


def test_sentences_that_follow_each_other_are_one_quote() -> None:
    text = "Copies are kept for 30 days [1]. The backup runs every night at 2:30 [1]."
    assert [(item.start, item.end) for item in check(text).citations] == [(0, len(PASSAGES[0].text))]
