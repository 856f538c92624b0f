"""Which hits have to do with the question at all."""

from collections.abc import Sequence

from pilothouse_query.search.models import Hit
from pilothouse_query.settings import ChatSettings


def relevant_hits(hits: Sequence[Hit], settings: ChatSettings) -> list[Hit]:
    """The hits that are close in meaning, or hold enough of the question's rarer words.

    Either is enough: an embedder that does not know the question's language finds nothing close,
    and a question in other words than the text's shares none with it.
    """
    return [
        hit
        for hit in hits
        if (hit.dense is not None and hit.dense >= settings.min_similarity)
        or hit.coverage >= settings.min_coverage
    ]
