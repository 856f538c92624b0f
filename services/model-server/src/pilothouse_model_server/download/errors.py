"""Why a model is not there."""


class DownloadError(Exception):
    """The model is not there; the message says why and what to do."""
