"""Where sentences end."""

from itertools import pairwise

import pytest

from pilothouse_query.citations.sentences import closes_sentence, sentence_spans


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "One is first. Two is second! Is three third?",
            ["One is first.", "Two is second!", "Is three third?"],
        ),
        ("See e.g. Fig. 3 by Dr. No. It shows 3.5 GB.", ["See e.g. Fig. 3 by Dr. No. It shows 3.5 GB."]),
        ("J. Smith wrote it. He left.", ["J. Smith wrote it.", "He left."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("备份每晚两点开始。保留三十天！", ["备份每晚两点开始。", "保留三十天！"]),
        ("他说：“停。”然后走了。", ["他说：“停。”", "然后走了。"]),
        ("Sao lưu lúc 2 giờ. Giữ trong 30 ngày.", ["Sao lưu lúc 2 giờ.", "Giữ trong 30 ngày."]),
        ("A line that was\nbroken by a PDF. Next one.", ["A line that was\nbroken by a PDF.", "Next one."]),
        ("- first item\n- second item\n\nThen text.", ["- first item", "- second item", "Then text."]),
        ("# Title\nText under it.", ["# Title", "Text under it."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("", []),
    ],
)
def test_a_passage_is_split_into_its_sentences(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@pytest.mark.parametrize("sentence", ["1.", "  2)", "a.", "> 3."])
def test_a_list_number_is_no_sentence(sentence: str) -> None:
    assert not closes_sentence(sentence, "T")


def test_spans_are_in_order_and_leave_out_only_white_space() -> None:
    text = "  First one.  Second。第三句！ \n\n - item one\n - item two"
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
