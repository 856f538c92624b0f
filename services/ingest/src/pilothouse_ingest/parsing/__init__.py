"""Turns the bytes of a file into text with structure."""
