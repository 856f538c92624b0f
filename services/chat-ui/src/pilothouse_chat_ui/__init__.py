"""The chat service: sessions, runs, history, and the page in the browser."""
