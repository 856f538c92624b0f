"""A small model server on the CPU: chat with a GGUF model, or embeddings with an ONNX model.

One process serves one of them, on the wire of OpenAI and TGI, or of TEI.
"""

__version__ = "0.1.0"
