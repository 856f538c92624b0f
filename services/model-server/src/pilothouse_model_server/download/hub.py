"""A model hub, and its refusals in plain words.

`huggingface_hub` reads its settings when it is imported; so does this module, by importing it.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from pilothouse_model_server.download.errors import DownloadError


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one commit with their sizes in bytes."""

    commit: str
    sizes: dict[str, int]

    def chosen(self, include: Sequence[str], exclude: Sequence[str]) -> dict[str, int]:
        """Those that match a pattern of `include` (or all, without any) and none of `exclude`."""
        return {
            name: size
            for name, size in self.sizes.items()
            if (not include or any(fnmatch(name, pattern) for pattern in include))
            and not any(fnmatch(name, pattern) for pattern in exclude)
        }


class Hub:
    """One revision of one repository on the hub that HF_ENDPOINT names."""

    def __init__(self, repository: str, revision: str) -> None:
        self._repository = repository
        self._revision = revision
        # False keeps the library from looking for a token elsewhere.
        self._token: str | bool = _token() or False

    def listing(self) -> Listing:
        """Raises DownloadError."""
        with self._refusals():
            info = HfApi(token=self._token).model_info(
                self._repository, revision=self._revision, files_metadata=True
            )
        files = info.siblings or []
        if info.sha is None or any(file.size is None for file in files):
            raise DownloadError(f"{constants.ENDPOINT} does not say which files {self._repository} has.")
        return Listing(info.sha, {file.rfilename: file.size or 0 for file in files})

    def file(self, name: str, commit: str, folder: Path) -> Path:
        """One file, fetched into the folder unless it is there. Raises DownloadError."""
        with self._refusals():
            fetched = hf_hub_download(
                self._repository, name, revision=commit, local_dir=folder, token=self._token
            )
        return Path(str(fetched))

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        name, hub = self._repository, constants.ENDPOINT
        try:
            yield
        except GatedRepoError as exc:
            raise DownloadError(
                f"{name} is given only to those who have accepted its terms. Accept them at {hub}/{name} and "
                "set HF_TOKEN to a token of that account."
            ) from exc
        except RevisionNotFoundError as exc:
            raise DownloadError(
                f"{name} has no revision {self._revision}. Look it up at {hub}/{name}."
            ) from exc
        except RepositoryNotFoundError as exc:
            raise DownloadError(
                f"There is no model {name} at {hub}, or it is private and HF_TOKEN "
                f"{'does not open it' if self._token else 'is not set'}. Check the name and the token."
            ) from exc
        except HFValidationError as exc:
            raise DownloadError(f"{name} is no name of a model. Write OWNER/NAME.") from exc
        except HfHubHTTPError as exc:
            raise DownloadError(_status_in_words(exc.response.status_code, hub)) from exc
        except LocalEntryNotFoundError as exc:
            # The library's word for any failure of the request before a file.
            cause = exc.__cause__
            if isinstance(cause, HfHubHTTPError):
                raise DownloadError(_status_in_words(cause.response.status_code, hub)) from exc
            raise DownloadError(_unreachable(hub, cause or exc)) from exc
        except (httpx2.TransportError, ConnectionError) as exc:
            raise DownloadError(_unreachable(hub, exc)) from exc


def _token() -> str:
    """From HF_TOKEN, or the file that HF_TOKEN_FILE names. Raises DownloadError."""
    if path := os.environ.get("HF_TOKEN_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise DownloadError(f"HF_TOKEN_FILE: {path} cannot be read ({type(exc).__name__}).") from exc
    return os.environ.get("HF_TOKEN", "").strip()


def _status_in_words(status: int, hub: str) -> str:
    if status in {401, 403}:
        return (
            f"{hub} refuses the token (status {status}). Set HF_TOKEN to a valid one that may read the model."
        )
    if status == 429:
        return f"{hub} asks for patience (status 429). Run this again later, or set HF_TOKEN."
    return f"{hub} answers with status {status}. Run this again later, or set HF_ENDPOINT to a mirror."


def _unreachable(hub: str, exc: BaseException) -> str:
    return (
        f"{hub} cannot be reached ({type(exc).__name__}: {exc}). Check the network, the proxy "
        "(HTTPS_PROXY) and the network policy, or set HF_ENDPOINT to a mirror."
    )
