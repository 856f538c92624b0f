"""Chat: one GGUF model through llama.cpp, on the wire of OpenAI and TGI."""
