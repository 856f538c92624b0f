"""The `pilothouse` command and the supervisor of local mode."""

__version__ = "0.1.0"
