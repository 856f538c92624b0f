"""Hybrid search: vectors and words, fused in one SQL statement."""
