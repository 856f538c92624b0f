"""The measures of `pilothouse eval`, against figures worked out by hand."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from pilothouse.evaluate import best_per_document, ndcg, read_set, recall


def test_ndcg_is_that_of_trec_eval() -> None:
    relevant = {"a": 2.0, "b": 1.0}
    assert ndcg(["a", "b"], relevant) == pytest.approx(1.0)
    assert ndcg(["b", "a"], relevant) == pytest.approx((1 + 2 / 1.5849625) / (2 + 1 / 1.5849625))
    assert ndcg(["x", "y"], relevant) == 0
    assert ndcg(["x"] * 10 + ["a"], relevant) == 0


def test_recall_counts_the_first_ten() -> None:
    relevant = {"a": 1.0, "b": 1.0}
    assert recall(["a", "x"], relevant) == 0.5
    assert recall([*"cdefghijkl", "a", "b"], relevant) == 0


def test_a_document_stands_where_its_best_passage_stands() -> None:
    first, second = UUID(int=1), UUID(int=2)
    results = [{"document_id": str(item)} for item in (second, first, second)]
    assert best_per_document(results, {first: "one", second: "two"}) == ["two", "one"]


def test_a_set_is_read_with_its_judged_questions_only(tmp_path: Path) -> None:
    folder = tmp_path / "My_Set"
    folder.mkdir()
    texts = {"q1": "First?", "q2": "Not judged?", "q3": "Third?"}
    lines = [json.dumps({"_id": name, "text": text}) for name, text in texts.items()]
    (folder / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    judgements = ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q3\td2\t2", "q2\td1\t0"]
    (folder / "qrels.tsv").write_text("\n".join(judgements), encoding="utf-8")
    judged = read_set(folder)
    assert judged.name == "my-set"
    assert judged.questions == {"q1": "First?", "q3": "Third?"}
    assert judged.relevant == {"q1": {"d1": 1.0}, "q3": {"d2": 2.0}}
    assert list(read_set(folder, limit=1).questions) == ["q1"]
