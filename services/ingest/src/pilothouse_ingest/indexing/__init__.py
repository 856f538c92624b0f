"""From stored bytes to searchable chunks."""
