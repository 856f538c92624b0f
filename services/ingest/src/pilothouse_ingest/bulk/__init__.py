"""Folders with many files, taken in without a client: by one process, by a Job's pods or by Ray."""
