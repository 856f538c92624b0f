"""A small model server: one GGUF model on the CPU, on the wire of OpenAI and TGI."""

__version__ = "0.1.0"
