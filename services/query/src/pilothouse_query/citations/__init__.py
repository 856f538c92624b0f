"""Checked citations: pure text work, no socket, no database."""
