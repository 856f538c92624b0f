"""Tells the browser what happens to documents."""
