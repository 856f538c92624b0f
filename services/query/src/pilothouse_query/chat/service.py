"""Makes answers: search, prompt, model, checked citations. Honest about each way it can end."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from pilothouse_core.auth import Principal
from pilothouse_core.embedding import Embedder, EmbedderError
from pilothouse_query.chat import quoting_style
from pilothouse_query.chat.models import (
    AnswerDone,
    AnswerEvent,
    Grounding,
    Question,
    SearchSummary,
    SourcesFound,
    Status,
    TextWritten,
)
from pilothouse_query.chat.prompt import (
    Budget,
    Prompt,
    QuestionTooLong,
    Source,
    build_prompt,
    pick_sources,
    smaller_prompt,
)
from pilothouse_query.chat.relevance import joined, relevant_hits
from pilothouse_query.chat.tokens import estimate_message, estimate_tokens
from pilothouse_query.chat.wording import wording_for
from pilothouse_query.citations.checker import CitationChecker
from pilothouse_query.citations.quoting import Quote, closest_quotes
from pilothouse_query.citations.support import Passage
from pilothouse_query.metrics import ANSWERS, FIRST_TOKEN_SECONDS, MODEL_FAILURES, SENTENCES, TOKENS
from pilothouse_query.model.client import (
    ChatMessage,
    ChatModel,
    ContextTooLong,
    ModelInterrupted,
    ModelUnavailable,
    Sampling,
)
from pilothouse_query.model.limits import Limits
from pilothouse_query.openai_errors import OpenAIError
from pilothouse_query.search.models import Hit, SearchQuery, SearchResult
from pilothouse_query.settings import ChatSettings

log = structlog.get_logger()

# Hits looked at for one prompt: overlapping ones are left out, so more than its passages.
SEARCHED = 20
# Passages quoted when no model answers.
QUOTED_PASSAGES = 3
CONTINUE = "Go on exactly where you stopped. Do not repeat what you wrote."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with its passages, ready for the model. `limits` is None when no model answers."""

    question: Question
    status: Status
    summary: SearchSummary
    hits: list[Hit]
    limits: Limits | None
    prompt: Prompt | None


@dataclass(slots=True)
class _Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"


class Search(Protocol):
    """Finds passages; `SearchService` does."""

    async def search(self, query: SearchQuery, *, principal: Principal) -> SearchResult:
        """Raises `Problem`."""
        ...


class AnswerService:
    """Answers questions from the documents that a principal may read."""

    def __init__(
        self, *, search: Search, embedder: Embedder, model: ChatModel, settings: ChatSettings
    ) -> None:
        self._search = search
        self._embedder = embedder
        self._model = model
        self._settings = settings

    async def prepare(self, question: Question, *, principal: Principal) -> Prepared:
        """Everything that can be refused with an HTTP status. Raises `Problem` or `OpenAIError`."""
        hits, result, summary = await self._found(question, principal)
        if question.alone:
            own = replace(question, retrieval=question.text)
            found, own_result, own_summary = await self._found(own, principal)
            if found:
                question, hits = own, joined(found, hits)
                result, summary = own_result, own_summary
        if not hits:
            status = Status.NOTHING_RELEVANT if result.scope.indexed else Status.NOTHING_INDEXED
            return Prepared(question, status, summary, [], None, None)
        try:
            limits = await self._model.limits()
        except ModelUnavailable as exc:
            _record_failure(exc)
            return Prepared(question, Status.MODEL_UNAVAILABLE, summary, hits, None, None)
        prompt = self._prompt(question, hits, limits.context_tokens)
        return Prepared(question, Status.ANSWERED, summary, hits, limits, prompt)

    async def _found(
        self, question: Question, principal: Principal
    ) -> tuple[list[Hit], SearchResult, SearchSummary]:
        query = SearchQuery(text=question.retrieval, collections=question.collections, top_k=SEARCHED)
        result = await self._search.search(query, principal=principal)
        summary = SearchSummary(query.text, query.mode, result.scope.collections, result.timings)
        return relevant_hits(result.hits, minimum=self._settings.min_relevance), result, summary

    async def answer(self, prepared: Prepared) -> AsyncGenerator[AnswerEvent]:
        """The answer's events: sources, pieces of text, done.

        Raises `OpenAIError` when the model breaks off in the middle; closing the iterator cancels
        the model's call.
        """
        if prepared.prompt is None:
            events = self._without_model(prepared)
        else:
            events = self._with_model(prepared, prepared.prompt)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _with_model(self, prepared: Prepared, prompt: Prompt) -> AsyncGenerator[AnswerEvent]:
        """Sources go out first; when the prompt turns out too long for the model, half of them remain."""
        yield SourcesFound(prompt.sources)
        usage = _Usage()
        checker = _checker(prompt.sources)
        sayable = await self._sayable(prepared.question, prompt.sources)
        if sayable == []:
            # A stopped answer goes on, and everything that could be said has been said.
            yield self._done(prepared, checker, usage, Status.ANSWERED)
            return
        for shrink in (False, True):
            if shrink:
                continuation = _continuation(prepared.question)
                prompt = smaller_prompt(prompt, prepared.question.text, continuation)
                # Only what the model has read may be cited.
                checker = _checker(prompt.sources)
            try:
                writing = self._written(prompt, prepared.question, usage, checker, sayable=sayable)
                async with aclosing(writing) as pieces:
                    async for piece in pieces:
                        yield TextWritten(piece)
                break
            except ContextTooLong as exc:
                _record_failure(exc)
                if checker.result().text:  # shown already; a second beginning would stand behind it
                    raise _broken_off() from exc
            except ModelUnavailable as exc:
                _record_failure(exc)
                text = await self._quotes(prepared, prompt.sources, checker)
                yield TextWritten(text)
                yield self._done(prepared, checker, usage, Status.MODEL_UNAVAILABLE)
                return
            except ModelInterrupted as exc:
                _record_failure(exc)
                ANSWERS.labels("interrupted").inc()
                raise _interrupted(exc) from exc
        else:
            raise OpenAIError(
                status=400,
                code="context_length_exceeded",
                message="The question with its passages does not fit the model. Ask a shorter question, "
                "or set PILOTHOUSE_MODEL_CONTEXT_TOKENS to what the model server accepts.",
                param="messages",
            )
        status = Status.ANSWERED
        text = ""
        if not checker.result().text.strip() and not prepared.question.continued:
            status, text = Status.MODEL_UNAVAILABLE, await self._quotes(prepared, prompt.sources, checker)
        elif not checker.result().citations and not prepared.question.continued:
            text = await self._closest_line(prepared, prompt.sources, checker)
        if text:
            yield TextWritten(text)
        yield self._done(prepared, checker, usage, status)

    async def _sayable(self, question: Question, sources: list[Source]) -> list[str] | None:
        """The sentences that the answer may be made of; None when the model may write freely."""
        if self._settings.style != "quote":
            return None
        try:
            sentences = await quoting_style.sayable(question.retrieval, sources, self._embedder)
        except EmbedderError as exc:
            log.warning("embedder_failed", error=str(exc)[:500])
            return None
        if not sentences:
            return None
        return quoting_style.unsaid(sentences, question.continued)

    async def _written(
        self,
        prompt: Prompt,
        question: Question,
        usage: _Usage,
        checker: CitationChecker,
        *,
        sayable: list[str] | None,
    ) -> AsyncGenerator[str]:
        """What the model writes, checked."""
        temperature = question.wishes.temperature
        sampling = Sampling(
            max_tokens=prompt.answer_tokens,
            temperature=self._settings.temperature if temperature is None else temperature,
            top_p=question.wishes.top_p,
            seed=question.wishes.seed,
            stop=question.wishes.stop,
            grammar=quoting_style.grammar(sayable) if sayable else None,
        )
        asked = time.perf_counter()
        waiting = True
        usage.prompt_tokens = sum(estimate_message(message.content) for message in prompt.messages)
        async with aclosing(self._model.stream(prompt.messages, sampling)) as deltas:
            async for delta in deltas:
                if delta.text and waiting:
                    FIRST_TOKEN_SECONDS.observe(time.perf_counter() - asked)
                    waiting = False
                usage.finish_reason = delta.finish_reason or usage.finish_reason
                usage.prompt_tokens = delta.prompt_tokens or usage.prompt_tokens
                usage.completion_tokens = delta.completion_tokens or usage.completion_tokens
                piece = checker.feed(delta.text)
                if piece:
                    yield piece
        rest = checker.finish()
        usage.completion_tokens = usage.completion_tokens or estimate_tokens(checker.result().text)
        if rest:
            yield rest

    async def _without_model(self, prepared: Prepared) -> AsyncGenerator[AnswerEvent]:
        wording = wording_for(prepared.question.text)
        sources = pick_sources(
            prepared.hits, tokens=self._settings.context_tokens, count=self._settings.passages
        )
        yield SourcesFound(sources)
        checker = _checker(sources)
        if prepared.status is Status.NOTHING_INDEXED:
            yield TextWritten(checker.say(wording.nothing_indexed))
        elif prepared.status is Status.NOTHING_RELEVANT:
            yield TextWritten(checker.say(wording.nothing_relevant))
        else:
            yield TextWritten(await self._quotes(prepared, sources, checker))
        yield self._done(prepared, checker, _Usage(), prepared.status)

    def _prompt(self, question: Question, hits: list[Hit], context: int) -> Prompt:
        extra = _continuation(question)
        budget = Budget(
            context=context - sum(estimate_message(message.content) for message in extra),
            answer=question.wishes.max_tokens or self._settings.answer_tokens,
            passages=self._settings.context_tokens,
            history=self._settings.history_tokens,
            count=self._settings.passages,
        )
        try:
            prompt = build_prompt(
                question.text, hits, question.history, budget, instructions=question.instructions
            )
        except QuestionTooLong as exc:
            raise OpenAIError(
                status=400,
                code="context_length_exceeded",
                message=f"The question needs about {exc.needed} tokens, the model reads {exc.available}. "
                "Ask a shorter question.",
                param="messages",
            ) from exc
        return Prompt([*prompt.messages, *extra], prompt.sources, prompt.answer_tokens)

    async def _quotes(self, prepared: Prepared, sources: list[Source], checker: CitationChecker) -> str:
        """The answer when no model writes one: the best passages, quoted."""
        text = checker.say(wording_for(prepared.question.text).model_unavailable)
        for quote in await self._closest(prepared, sources, QUOTED_PASSAGES):
            text += checker.quote(f"\n\n> {quote.text} [{quote.n}]", quote)
        return text

    async def _closest_line(self, prepared: Prepared, sources: list[Source], checker: CitationChecker) -> str:
        """A line for an answer that stands on nothing: what the documents say themselves."""
        text = ""
        for quote in await self._closest(prepared, sources, 1):
            lead = wording_for(prepared.question.text).closest_passage
            text = checker.quote(f"\n\n{lead}\n\n> {quote.text} [{quote.n}]", quote)
        return text

    async def _closest(self, prepared: Prepared, sources: list[Source], count: int) -> list[Quote]:
        passages = [Passage(source.n, source.text) for source in sources]
        try:
            return await closest_quotes(prepared.question.retrieval, passages, self._embedder, count=count)
        except EmbedderError as exc:
            log.warning("embedding_failed", error=str(exc)[:500])
            return [Quote(1, " ".join(passages[0].text.split()), 0, len(passages[0].text))]

    def _done(
        self, prepared: Prepared, checker: CitationChecker, usage: _Usage, status: Status
    ) -> AnswerDone:
        checked = checker.result()
        ANSWERS.labels(status.value).inc()
        SENTENCES.labels("supported").inc(checked.supported)
        SENTENCES.labels("unsupported").inc(checked.sentences - checked.supported)
        TOKENS.labels("prompt").inc(usage.prompt_tokens)
        TOKENS.labels("completion").inc(usage.completion_tokens)
        answered = status is Status.ANSWERED
        grounding = Grounding(
            status=status,
            sentences=checked.sentences,
            supported=checked.supported,
            unsupported=checked.unsupported,
            model=prepared.limits.model if prepared.limits and answered else None,
            search=prepared.summary,
        )
        return AnswerDone(
            text=checked.text,
            citations=checked.citations,
            grounding=grounding,
            finish_reason=usage.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )


def _checker(sources: list[Source]) -> CitationChecker:
    return CitationChecker([Passage(source.n, source.text) for source in sources])


def _continuation(question: Question) -> list[ChatMessage]:
    """What comes after the question when a stopped answer goes on."""
    if not question.continued:
        return []
    return [ChatMessage("assistant", question.continued), ChatMessage("user", CONTINUE)]


def _record_failure(exc: ModelUnavailable | ModelInterrupted | ContextTooLong) -> None:
    MODEL_FAILURES.labels(exc.code).inc()
    log.warning("model_failed", code=exc.code, error=str(exc)[:500])


def _interrupted(exc: ModelInterrupted) -> OpenAIError:
    if exc.code != "model_timeout":
        return _broken_off()
    return OpenAIError(
        status=504,
        code="model_timeout",
        message="The language model stopped answering in the middle. Ask again; what was written so far "
        "is incomplete.",
    )


def _broken_off() -> OpenAIError:
    return OpenAIError(
        status=502,
        code="model_interrupted",
        message="The connection to the language model broke in the middle of the answer. Ask again.",
    )
