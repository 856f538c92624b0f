"""What is searched for when a question leans on the ones before it."""

import pytest

from pilothouse_query.chat.questions import leans_on_history, may_stand_alone, retrieval_query

FIRST = "How long are backups of the database kept?"


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "And in the second year?",
        "What about encryption?",
        "How is it encrypted?",
        "Who decided that?",
        "For how long, in all?",
        "What is the limit of it in total?",
        "Are they stored abroad?",
        "那加密呢？",
        "为什么？",
        "它保存在哪里？",
        "Còn mã hóa thì sao?",
        "Nó được lưu ở đâu?",
        "Tại sao?",
    ],
)
def test_a_question_that_leans_is_searched_with_the_one_before(question: str) -> None:
    assert leans_on_history(question)
    assert retrieval_query([FIRST, question]) == f"{FIRST}\n{question}"


@pytest.mark.parametrize(
    "question",
    [
        "Which port does the query service listen on by default?",
        "How do I add a collection for the legal team?",
        "What is the capital of Mongolia?",
        "Which settings need a restart of the ingest worker?",
        "如何为法务团队添加文档集合？",
        "Làm thế nào để thêm bộ sưu tập tài liệu mới?",
    ],
)
def test_a_question_that_stands_alone_is_searched_alone(question: str) -> None:
    assert retrieval_query([FIRST, question]) == question


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("What is a collection?", True),
        ("And what if the file is damaged?", True),
        ("Explain the search modes, one by one", True),
        ("什么是段落？", True),
        ("那加密呢？", False),
        ("Which one is it?", False),
        ("Why?", False),
        ("What about encryption?", False),
        ("How is it encrypted now?", False),
        ("Còn mã hóa thì sao?", False),
    ],
)
def test_a_short_sentence_may_as_well_begin_something_new(question: str, *, alone: bool) -> None:
    assert leans_on_history(question)
    assert may_stand_alone(question) is alone


def test_a_chain_of_leaning_questions_reaches_back_to_the_one_that_stands() -> None:
    questions = ["Tell me about whales in the northern bay", FIRST, "And copies?", "Why?"]
    assert retrieval_query(questions) == "\n".join([FIRST, "And copies?", "Why?"])


def test_without_history_a_short_question_is_searched_as_it_is() -> None:
    assert retrieval_query(["Backups?"]) == "Backups?"
    assert retrieval_query(["", "  "]) == ""
