"""Embeddings: one ONNX model through ONNX Runtime, on the wire of TEI and OpenAI."""
