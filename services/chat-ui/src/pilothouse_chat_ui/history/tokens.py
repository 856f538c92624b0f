"""The words of a text as PostgreSQL looks for them."""

import asyncio

from pilothouse_core.lexical import document_tokens, query_tokens, tsquery_literal, tsvector_literal


async def search_tokens(text: str) -> str:
    """A message's tokens, to be stored. Long texts take a while, so in a thread."""
    return await asyncio.to_thread(lambda: tsvector_literal(document_tokens(text)))


def search_query(text: str) -> tuple[str, list[str]]:
    """The query that finds messages with all words of the text, and those words as they are searched.

    The last word may be its beginning only, so that typing finds before the word is complete.
    """
    tokens = query_tokens(text)
    literal = tsquery_literal(tokens, "&")
    return (f"{literal}:*" if literal else ""), tokens
