"""Questions in, answers with checked citations out, in OpenAI's wire format."""
