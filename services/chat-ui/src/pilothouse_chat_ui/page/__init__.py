"""The built page and its files."""
