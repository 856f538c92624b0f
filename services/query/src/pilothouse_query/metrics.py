"""What Prometheus learns from the query service."""

from prometheus_client import Counter, Histogram

SEARCH_SECONDS = Histogram(
    "pilothouse_search_stage_seconds",
    "Time of each stage of a search, in seconds.",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
FIRST_TOKEN_SECONDS = Histogram(
    "pilothouse_first_token_seconds",
    "Time from asking the model server to its first token, in seconds.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120),
)
TOKENS = Counter(
    "pilothouse_answer_tokens", "Tokens of prompts and answers, as counted by the model.", ["kind"]
)
ANSWERS = Counter("pilothouse_answers", "Answers by how they ended.", ["status"])
SENTENCES = Counter("pilothouse_answer_sentences", "Sentences of answers by their support.", ["support"])
MODEL_FAILURES = Counter("pilothouse_model_failures", "Failed calls of the model server.", ["code"])
