"""Conversations of a person."""
