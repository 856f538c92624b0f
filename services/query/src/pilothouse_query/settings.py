"""Settings of the query service."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from pilothouse_core.settings import Duration, EmbeddingSettings, ServerSettings, ServiceSettings

Weight = Annotated[float, Field(ge=0, le=1)]


class SearchSettings(BaseModel):
    """How search ranks."""

    dense_weight: Weight = Field(
        default=0.6,
        description="The vectors' share in the score of a hybrid search; the rest is the words'.",
    )
    exact_chunks: Annotated[int, Field(ge=0)] = Field(
        default=20_000,
        description="Up to so many chunks every vector is compared, which is exact under any filter; "
        "above, the vector index is used.",
    )
    ef_search: Annotated[int, Field(ge=10, le=1000)] = Field(
        default=100, description="HNSW candidates (hnsw.ef_search) when the vector index is used."
    )
    rerank_candidates: Annotated[int, Field(ge=1, le=100)] = Field(
        default=50, description="Hits that the reranker reads, when one is set up."
    )


class RerankSettings(BaseModel):
    """Where a reranker is, if there is one."""

    url: HttpUrl | None = Field(
        default=None, description="Address of a Text Embeddings Inference server that serves a reranker."
    )
    key: SecretStr | None = Field(default=None, description="API key for the reranker.")
    timeout: Duration = Field(default=timedelta(seconds=10), description="Longest wait for the reranker.")


class ModelSettings(BaseModel):
    """The language model's server: anything that speaks OpenAI's /v1/chat/completions."""

    url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8083"),
        description="Address of the model server, without /v1 (TGI, vLLM, llama.cpp, model-server).",
    )
    name: str | None = Field(
        default=None, description="Model to ask for; default: the one that the server serves."
    )
    key: SecretStr | None = Field(default=None, description="API key for the model server.")
    context_tokens: Annotated[int, Field(ge=256)] | None = Field(
        default=None, description="The model's context in tokens; default: what the server says."
    )
    connect_timeout: Duration = Field(
        default=timedelta(seconds=3), description="Longest wait for a connection to the model server."
    )
    first_token_timeout: Duration = Field(
        default=timedelta(seconds=120), description="Longest wait for the first token of an answer."
    )
    token_timeout: Duration = Field(
        default=timedelta(seconds=30), description="Longest wait between two tokens."
    )
    answer_timeout: Duration = Field(
        default=timedelta(minutes=10), description="Longest time that one answer may take."
    )
    limits_lifetime: Duration = Field(
        default=timedelta(minutes=10), description="How long the server's limits are remembered."
    )


class ChatSettings(BaseModel):
    """How answers are made."""

    style: Literal["write", "quote"] = Field(
        default="write",
        description="`write`: the model writes and every sentence is checked. `quote`: the model may only "
        "say sentences of the passages, for models too small to write; needs a llama.cpp server.",
    )
    context_tokens: Annotated[int, Field(ge=50)] = Field(
        default=1500, description="Tokens of passages in a prompt, at most."
    )
    passages: Annotated[int, Field(ge=1, le=50)] = Field(
        default=8, description="Passages in a prompt, at most."
    )
    history_tokens: Annotated[int, Field(ge=0)] = Field(
        default=1000, description="Tokens of earlier turns in a prompt, at most."
    )
    answer_tokens: Annotated[int, Field(ge=16)] = Field(
        default=512, description="Tokens of an answer, at most, unless the request asks for fewer."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(
        default=0.1, description="Temperature, unless the request gives one."
    )
    min_relevance: Annotated[float, Field(ge=0, le=1.5)] = Field(
        default=0.5,
        description="A passage counts as relevant from this sum on: cosine of question and passage, plus "
        "half the share of the question's words (by rarity) that the passage holds.",
    )


class Settings(ServiceSettings):
    """All settings of the query service."""

    auth_secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    server: ServerSettings = ServerSettings(port=8082)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    rerank: RerankSettings = Field(default_factory=RerankSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)
