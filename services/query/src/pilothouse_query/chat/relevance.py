"""Which hits have to do with the question at all."""

from collections.abc import Sequence
from uuid import UUID

from pilothouse_query.search.models import Hit

# Meaning and words count together: an embedder that does not know the question's language finds
# nothing close, and a question in other words than the text's shares few with it. On eight sets
# with all-MiniLM-L6-v2, a minimum of 0.5 keeps 99 % of the questions that the set answers and
# turns away 93 % of questions made for another set.
COVERAGE_SHARE = 0.5
# How slowly a rank loses weight when two searches are joined; the usual constant.
RANK_OFFSET = 60


def relevance(hit: Hit) -> float:
    """How much a hit has to do with the question; 0.5 is the usual border."""
    return (hit.dense or 0.0) + COVERAGE_SHARE * hit.coverage


def relevant_hits(hits: Sequence[Hit], *, minimum: float) -> list[Hit]:
    """The hits that reach the minimum, in their order."""
    return [hit for hit in hits if relevance(hit) >= minimum]


def joined(*rankings: Sequence[Hit]) -> list[Hit]:
    """The hits of several searches; what more than one of them found, or found early, comes first."""
    weights: dict[UUID, float] = {}
    hits: dict[UUID, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            weights[hit.chunk_id] = weights.get(hit.chunk_id, 0.0) + 1 / (RANK_OFFSET + rank)
            hits.setdefault(hit.chunk_id, hit)
    return sorted(hits.values(), key=lambda hit: -weights[hit.chunk_id])
