"""News of one's own sessions, for other tabs and devices."""
