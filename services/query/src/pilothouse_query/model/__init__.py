"""The language model behind OpenAI's wire format."""
