"""The ways an answer can end, each honest about itself."""

import pytest

from pilothouse_core.auth import LOCAL, Principal
from pilothouse_core.testing import HashEmbedder
from pilothouse_query.chat.models import AnswerDone, Question, SourcesFound, Status, TextWritten, Wishes
from pilothouse_query.chat.prompt import Turn
from pilothouse_query.chat.service import CONTINUE, AnswerService
from pilothouse_query.model.client import ContextTooLong, ModelInterrupted, ModelUnavailable
from pilothouse_query.openai_errors import OpenAIError
from pilothouse_query.search.models import Hit, SearchQuery, SearchResult
from pilothouse_query.settings import ChatSettings
from support.query_fakes import FixedModel, FixedSearch, make_hit

HIT = make_hit("The backup runs every night at 2:30. Copies are kept for 30 days on the server.", start=100)
OTHER = make_hit("Invoices are sent on the first of each month by the finance team.", n=2)


def ask(text: str = "How long are copies kept?", **changes: object) -> Question:
    values = {
        "text": text,
        "retrieval": text,
        "history": (),
        "collections": None,
        "instructions": "",
        "wishes": Wishes(),
    }
    return Question(**{**values, **changes})  # type: ignore[arg-type] # the fields are those above


def answering(model: FixedModel, search: FixedSearch) -> AnswerService:
    return AnswerService(search=search, embedder=HashEmbedder(), model=model, settings=ChatSettings())


async def answer(
    model: FixedModel, hits: list[Hit], question: Question | None = None, *, indexed: bool = True
) -> tuple[list[SourcesFound | TextWritten], AnswerDone]:
    service = AnswerService(
        search=FixedSearch(hits, indexed=indexed),
        embedder=HashEmbedder(),
        model=model,
        settings=ChatSettings(),
    )
    prepared = await service.prepare(question or ask(), principal=LOCAL)
    events = [event async for event in service.answer(prepared)]
    done = events[-1]
    assert isinstance(done, AnswerDone)
    assert isinstance(events[0], SourcesFound)
    rest = [event for event in events[:-1] if not isinstance(event, AnswerDone)]
    assert "".join(event.text for event in rest if isinstance(event, TextWritten)) == done.text
    return rest, done


async def test_an_answer_is_checked_and_cited() -> None:
    model = FixedModel(["Copies are kept ", "for 30 days [1", "].", " Whales sing at dusk [9]."])
    _, done = await answer(model, [HIT, OTHER])
    assert done.text == "Copies are kept for 30 days [1]. Whales sing at dusk."
    assert done.grounding.status is Status.ANSWERED
    assert (done.grounding.sentences, done.grounding.supported) == (2, 1)
    assert done.grounding.model == "fixed"
    (cited,) = done.citations
    assert HIT.text[cited.start : cited.end] == "Copies are kept for 30 days on the server."


async def test_the_sources_come_before_the_model_is_asked() -> None:
    service = AnswerService(
        search=FixedSearch([HIT]),
        embedder=HashEmbedder(),
        model=(model := FixedModel(["x"])),
        settings=ChatSettings(),
    )
    events = service.answer(await service.prepare(ask(), principal=LOCAL))
    assert isinstance(await anext(events), SourcesFound)
    assert model.asked == []
    await events.aclose()


async def test_an_answer_without_any_citation_is_followed_by_the_closest_passage() -> None:
    _, done = await answer(FixedModel(["Whales sing at dusk."]), [OTHER, HIT])
    assert done.grounding.supported == 0
    assert done.text.endswith("> Copies are kept for 30 days on the server. [2]")
    assert [cited.n for cited in done.citations] == [2]


async def test_nothing_indexed_and_nothing_relevant_are_said_without_a_model() -> None:
    model = FixedModel(["never"])
    _, empty = await answer(model, [], indexed=False)
    _, unrelated = await answer(model, [make_hit("Something else.", dense=0.1)])
    assert empty.grounding.status is Status.NOTHING_INDEXED
    assert unrelated.grounding.status is Status.NOTHING_RELEVANT
    assert empty.text != unrelated.text
    assert model.asked == []
    assert empty.citations == unrelated.citations == ()


@pytest.mark.parametrize("question", ["备份保留多久？", "Bản sao được giữ bao lâu?"])
async def test_the_services_own_words_are_in_the_questions_language(question: str) -> None:
    _, english = await answer(FixedModel(), [], indexed=False)
    _, other = await answer(FixedModel(), [], ask(question), indexed=False)
    assert other.text != english.text


@pytest.mark.parametrize(
    "model",
    [
        FixedModel(unreachable=ModelUnavailable("model_unreachable", "refused")),
        FixedModel(errors=[ModelUnavailable("model_http_503", "secret backend text")]),
        FixedModel([]),
    ],
    ids=["unreachable", "refusing", "silent"],
)
async def test_without_a_model_the_best_passages_are_quoted(model: FixedModel) -> None:
    _, done = await answer(model, [HIT, OTHER])
    assert done.grounding.status is Status.MODEL_UNAVAILABLE
    assert done.grounding.model is None
    assert "Copies are kept for 30 days on the server. [1]" in done.text
    assert "secret" not in done.text
    assert [cited.n for cited in done.citations] == [1, 2]


async def test_a_model_that_breaks_off_is_an_error_and_its_call_is_closed() -> None:
    model = FixedModel(["Copies are "], error=ModelInterrupted("model_lost", "reset"))
    with pytest.raises(OpenAIError) as caught:
        await answer(model, [HIT])
    assert (caught.value.status, caught.value.code) == (502, "model_interrupted")
    assert model.closed


async def test_a_prompt_that_proves_too_long_is_tried_again_with_half() -> None:
    model = FixedModel(["Copies are kept for 30 days."], errors=[ContextTooLong("context", "too long")])
    _, done = await answer(model, [HIT, OTHER])
    assert done.text == "Copies are kept for 30 days [1]."
    assert len(model.asked) == 2
    assert len(str(model.asked[1][0])) < len(str(model.asked[0][0]))


async def test_only_what_the_model_has_read_is_cited() -> None:
    model = FixedModel(
        ["Copies are kept for 30 days. Invoices are sent on the first of each month [2]."],
        errors=[ContextTooLong("context", "too long")],
    )
    _, done = await answer(model, [HIT, OTHER], ask(continued="It is so."))
    messages, _ = model.asked[1]
    assert OTHER.text not in str(messages)
    assert [cited.n for cited in done.citations] == [1]
    assert "[2]" not in done.text
    assert [message.content for message in messages[-2:]] == ["It is so.", CONTINUE]


async def test_an_answer_that_outgrows_the_model_is_not_begun_twice() -> None:
    model = FixedModel(["Copies are "], error=ContextTooLong("context", "too long"))
    with pytest.raises(OpenAIError) as caught:
        await answer(model, [HIT])
    assert caught.value.code == "model_interrupted"
    assert len(model.asked) == 1


async def test_a_question_that_never_fits_is_refused() -> None:
    model = FixedModel(errors=[ContextTooLong("context", "too long")] * 2)
    with pytest.raises(OpenAIError) as caught:
        await answer(model, [HIT])
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(OpenAIError) as long:
        await answer(FixedModel(context_tokens=512), [HIT], ask("why " * 3000))
    assert (long.value.status, long.value.code) == (400, "context_length_exceeded")


async def test_closing_the_answer_closes_the_models_call() -> None:
    model = FixedModel(["Copies are kept for 30 days."] * 50)
    service = answering(model, FixedSearch([HIT]))
    events = service.answer(await service.prepare(ask(), principal=LOCAL))
    await anext(events)
    await anext(events)
    await events.aclose()
    assert model.closed


async def test_history_instructions_and_limits_reach_the_model() -> None:
    model = FixedModel(["Copies are kept for 30 days."])
    question = ask(
        history=(Turn("user", "When?"), Turn("assistant", "At 2:30 [1].")),
        instructions="Speak like a pirate.",
        wishes=Wishes(max_tokens=33, temperature=0.0),
    )
    await answer(model, [HIT], question)
    messages, sampling = model.asked[0]
    assert "pirate" in messages[0].content
    assert [message.content for message in messages[1:3]] == ["When?", "At 2:30."]
    assert HIT.text in messages[-1].content
    assert (sampling.max_tokens, sampling.temperature) == (33, 0.0)


class SearchByText(FixedSearch):
    """Finds the invoices by their own words, and the backups with the question before."""

    async def search(self, query: SearchQuery, *, principal: Principal) -> SearchResult:
        result = await super().search(query, principal=principal)
        hits = [HIT] if "copies" in query.text else [OTHER] if "invoices" in query.text else []
        return SearchResult(hits, result.timings, result.scope)


@pytest.mark.parametrize(
    ("text", "found", "searched"),
    [
        ("What are invoices for?", [OTHER, HIT], "What are invoices for?"),
        ("What are whales for?", [HIT], "How long are copies kept?\nWhat are whales for?"),
    ],
)
async def test_a_question_that_may_stand_alone_is_also_searched_alone(
    text: str, found: list[Hit], searched: str
) -> None:
    service = answering(FixedModel(), SearchByText([]))
    question = ask(text, retrieval=f"How long are copies kept?\n{text}", alone=True)
    prepared = await service.prepare(question, principal=LOCAL)
    assert (prepared.hits, prepared.summary.query) == (found, searched)
    assert prepared.question.retrieval == searched
