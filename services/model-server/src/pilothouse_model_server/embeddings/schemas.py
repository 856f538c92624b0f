"""Requests and answers on the wire."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _texts(value: object) -> object:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("give a text or a list of texts; token ids are not taken here")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as exc:
        raise ValueError("half a character (a lone surrogate) is no text") from exc
    return texts


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_texts)]
Dimensions = Annotated[int, Field(ge=1)]


class EmbedRequest(BaseModel):
    """TEI's `/embed`. What would change the vectors and is not possible here is refused, not ignored."""

    inputs: Texts
    normalize: bool = True
    truncate: bool | None = False
    truncation_direction: Annotated[Literal["right"], BeforeValidator(_lower)] = "right"
    prompt_name: None = None
    dimensions: Dimensions | None = None


class OpenAIRequest(BaseModel):
    """OpenAI's embeddings request."""

    input: Texts
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Dimensions | None = None


class Pooling(BaseModel):
    """How the vectors of tokens become one."""

    pooling: str


class ModelType(BaseModel):
    """TEI's word for what kind of model this is."""

    embedding: Pooling


class Info(BaseModel):
    """What Text Embeddings Inference tells about itself at `/info`."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    served_model_name: str
    model_sha: str | None = None
    model_dtype: str = "float32"
    model_type: ModelType
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int | None = None
    max_client_batch_size: int
    auto_truncate: bool = False
    tokenization_workers: int = 1
    version: str
