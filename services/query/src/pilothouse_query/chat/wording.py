"""The service's own sentences, in the language of the question."""

import re
from dataclasses import dataclass

_HAN = re.compile(r"[\u4e00-\u9fff]")
_OTHER_DENSE = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_VIETNAMESE = re.compile(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the service says itself."""

    nothing_indexed: str
    nothing_relevant: str
    model_unavailable: str
    closest_passage: str


_ENGLISH = Wording(
    nothing_indexed="There is nothing to answer from yet: no document here has been indexed. "
    "Add documents, wait until they are indexed, then ask again.",
    nothing_relevant="The documents do not seem to hold anything about this. "
    "Try other words, or another collection.",
    model_unavailable="The language model does not answer at the moment. "
    "These passages of your documents are closest to the question:",
    closest_passage="Closest passage in the documents:",
)
_CHINESE = Wording(
    nothing_indexed="目前还没有可以作答的内容：这里没有已建立索引的文档。请添加文档，等待索引完成后再提问。",
    nothing_relevant="文档中似乎没有与此相关的内容。请换个说法，或选择其他集合。",
    model_unavailable="语言模型暂时没有响应。以下是文档中与问题最接近的段落：",
    closest_passage="文档中最接近的段落：",
)
_VIETNAMESE_WORDING = Wording(
    nothing_indexed="Chưa có gì để trả lời: chưa có tài liệu nào ở đây được lập chỉ mục. "
    "Hãy thêm tài liệu, đợi lập chỉ mục xong rồi hỏi lại.",
    nothing_relevant="Có vẻ tài liệu không có nội dung nào về điều này. "
    "Hãy thử từ khác hoặc bộ sưu tập khác.",
    model_unavailable="Mô hình ngôn ngữ hiện không phản hồi. "
    "Đây là những đoạn trong tài liệu gần với câu hỏi nhất:",
    closest_passage="Đoạn gần nhất trong tài liệu:",
)


def wording_for(question: str) -> Wording:
    """The wording in the question's language, as far as its letters tell; English otherwise."""
    if _HAN.search(question) and not _OTHER_DENSE.search(question):
        return _CHINESE
    if _VIETNAMESE.search(question):
        return _VIETNAMESE_WORDING
    return _ENGLISH
