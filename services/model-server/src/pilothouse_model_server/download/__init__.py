"""Models of a hub, for the servers that run without a network."""
