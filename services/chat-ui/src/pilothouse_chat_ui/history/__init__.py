"""Search in one's own messages."""
