"""Asking: what a question does to the conversation, in one transaction."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from pilothouse_chat_ui.history.tokens import search_tokens
from pilothouse_chat_ui.messages import repository
from pilothouse_chat_ui.messages.models import Message
from pilothouse_chat_ui.messages.schemas import Question
from pilothouse_chat_ui.notifications import notify, owner_topic
from pilothouse_chat_ui.runs import repository as runs
from pilothouse_chat_ui.runs.continuation import clean_break
from pilothouse_chat_ui.runs.models import Lease, Run
from pilothouse_chat_ui.sessions import repository as sessions
from pilothouse_chat_ui.sessions.models import Session
from pilothouse_chat_ui.sessions.service import session_not_found
from pilothouse_chat_ui.sessions.titles import title_from
from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection, Pool
from pilothouse_core.failover import repeated
from pilothouse_core.ids import new_id
from pilothouse_core.problem import Problem


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking made: the question (new, or the one that is answered again) and the run."""

    question_id: UUID
    run: Run


async def ask(
    pool: Pool, principal: Principal, session_id: UUID, question: Question, *, lease: Lease, max_chars: int
) -> Asked:
    """Stores the question, an answer that is `running` and its run, leased to this replica."""
    content = _checked(question, max_chars)
    tokens = await search_tokens(content) if content is not None else ""
    asked: Asked | None = None

    async def store() -> Asked:
        nonlocal asked
        async with pool.connection() as conn, conn.transaction():
            if asked is not None and await runs.find(conn, principal.subject, asked.run.id) is not None:
                return asked  # Stored the first time; only the commit's answer was lost.
            session = await sessions.lock(conn, principal.subject, session_id)
            if session is None:
                raise session_not_found()
            if session.active_run_id is not None:
                raise _run_active()
            asked = await _Conversation(conn, session, question).ask(principal, content, tokens, lease)
            await notify(conn, owner_topic(principal.subject))
        return asked

    try:
        return await repeated(store)
    except UniqueViolation as exc:
        raise _run_active() from exc


async def rate(
    pool: Pool, principal: Principal, message_id: UUID, *, rating: str | None, note: str | None
) -> Message:
    """Stores what a person thinks of an answer. Raises a 404 `Problem`."""
    async with pool.connection() as conn, conn.transaction():
        message = await repository.rate(conn, principal.subject, message_id, rating=rating, note=note)
    if message is None:
        raise message_not_found()
    return message


def message_not_found() -> Problem:
    """404, also for the messages of other people and other sessions."""
    return Problem(
        status=404,
        code="message_not_found",
        title="This message is not there",
        detail="It may have been replaced or deleted in another tab. Reload the conversation.",
    )


class _Conversation:
    """One conversation inside the transaction that asks."""

    def __init__(self, conn: Connection, session: Session, question: Question) -> None:
        self._conn = conn
        self._session = session
        self._question = question
        self._collection = (
            question.collection if "collection" in question.model_fields_set else session.collection
        )

    async def ask(self, principal: Principal, content: str | None, tokens: str, lease: Lease) -> Asked:
        begins_as: Message | None = None
        if self._question.continues is not None:
            begins_as = await self._stopped_answer(self._question.continues)
            question = await self._question_before(begins_as)
            await self._supersede(begins_as)
        elif self._question.replaces is not None:
            question = await self._replace(self._question.replaces, content, tokens)
        else:
            question = await self._insert_question(content, tokens)
        answer = await self._insert_answer(begins_as)
        run = Run(
            id=answer.id,
            session_id=self._session.id,
            owner=principal.subject,
            groups=list(principal.groups),
            attempt=1,
            stop_requested=False,
            request={"question": str(question.id), "collection": answer.collection},
        )
        await runs.insert(self._conn, run, lease)
        if not self._session.title:
            await sessions.update(self._conn, replace(self._session, title=title_from(question.content)))
        await sessions.touch(self._conn, self._session.owner, self._session.id)
        return Asked(question.id, run)

    async def _replace(self, message_id: UUID, content: str | None, tokens: str) -> Message:
        target = await self._target(message_id)
        if target.role == "user":
            await self._supersede(target)
            return await self._insert_question(content, tokens)
        if content is not None:
            raise Problem(
                status=422,
                code="invalid_request",
                title="The request is not valid",
                detail="Trying an answer again takes no content. To ask something else, name the question "
                "in `replaces`.",
            )
        question = await self._question_before(target)
        await self._supersede(target)
        return question

    async def _stopped_answer(self, message_id: UUID) -> Message:
        message = await self._target(message_id)
        newest = await repository.newest(self._conn, self._session.owner, self._session.id, limit=1)
        is_last = bool(newest) and newest[0].id == message.id
        if not is_last or message.role != "assistant" or message.status not in ("stopped", "error"):
            raise Problem(
                status=409,
                code="cannot_continue",
                title="This answer cannot go on",
                detail="Only the last answer can go on, and only if it was stopped or broke off. "
                "Ask again, or try the answer again.",
            )
        return message

    async def _target(self, message_id: UUID) -> Message:
        message = await repository.find(self._conn, self._session.owner, message_id)
        if message is None or message.session_id != self._session.id:
            raise message_not_found()
        return message

    async def _question_before(self, answer: Message) -> Message:
        earlier = await repository.newest(
            self._conn, self._session.owner, self._session.id, limit=20, before=answer.id
        )
        for message in earlier:
            if message.role == "user":
                return message
        raise message_not_found()

    async def _supersede(self, first: Message) -> None:
        await repository.supersede(self._conn, self._session.owner, self._session.id, first=first.id)

    async def _insert_question(self, content: str | None, tokens: str) -> Message:
        if content is None:
            raise empty_question()
        message = replace(await self._blank(), role="user", status="done", content=content)
        await repository.insert(self._conn, message, search_tokens=tokens)
        return message

    async def _insert_answer(self, begins_as: Message | None) -> Message:
        message = await self._blank()
        if begins_as is not None:
            # The new answer begins with the old one's text, and the numbers in it keep their sources.
            message = replace(
                message,
                content=clean_break(begins_as.content),
                collection=begins_as.collection,
                sources=begins_as.sources,
                citations=begins_as.citations,
            )
        await repository.insert(self._conn, message, search_tokens="")
        return message

    async def _blank(self) -> Message:
        return Message(
            id=await self._next_id(),
            session_id=self._session.id,
            owner=self._session.owner,
            role="assistant",
            content="",
            status="running",
            collection=self._collection,
            model=None,
            sources=[],
            citations=[],
            grounding=None,
            error=None,
            feedback=None,
            created_at=datetime.now(UTC),
        )

    async def _next_id(self) -> UUID:
        """Sorts after all that is shown, even when another replica's clock was ahead of ours."""
        candidate = new_id()
        newest = await repository.newest(self._conn, self._session.owner, self._session.id, limit=1)
        if newest and newest[0].id >= candidate:
            return UUID(int=newest[0].id.int + 1)
        return candidate


def _checked(question: Question, max_chars: int) -> str | None:
    if question.content is None:
        if question.replaces is None and question.continues is None:
            raise empty_question()
        return None
    if not question.content.strip():
        raise empty_question()
    if len(question.content) > max_chars:
        raise Problem(
            status=422,
            code="question_too_long",
            title="The question is too long",
            detail=f"It has {len(question.content)} characters, {max_chars} are possible. Shorten it, or "
            "upload the long part as a document and ask about it.",
            max_chars=max_chars,
        )
    return question.content


def empty_question() -> Problem:
    """422 for a question without words."""
    return Problem(
        status=422,
        code="empty_question",
        title="The question is empty",
        detail="Write what you want to know, then send it.",
    )


def _run_active() -> Problem:
    return Problem(
        status=409,
        code="run_active",
        title="An answer is being written",
        detail="Wait until it is finished, or stop it, then send the question again.",
    )
