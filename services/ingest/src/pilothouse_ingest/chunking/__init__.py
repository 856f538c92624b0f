"""Cuts a parsed document into passages."""
