"""The `pilothouse` command. Each subcommand imports what it needs when it runs, so that all start quickly."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse import __version__

if TYPE_CHECKING:
    from pilothouse.home import LocalSettings

app = typer.Typer(
    name="pilothouse",
    help="Answers from your own documents, each with its exact source.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Mode(StrEnum):
    """How search looks for passages."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


Collection = Annotated[
    str | None, typer.Option("--collection", "-c", help="Only this collection; default: all.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"pilothouse {__version__}")
        raise typer.Exit


@app.callback()
def pilothouse(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Answers from your own documents, each with its exact source."""


@app.command()
def up(
    no_samples: Annotated[
        bool, typer.Option("--no-samples", help="Do not add the sample documents.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until everything is ready.")] = 300.0,
) -> None:
    """Start Pilothouse in the background and return when it is ready."""
    from pilothouse import lifecycle

    raise typer.Exit(lifecycle.up(_settings(), with_samples=not no_samples, timeout=timeout))


@app.command()
def down() -> None:
    """Stop Pilothouse. Documents and chats stay."""
    from pilothouse import lifecycle

    raise typer.Exit(lifecycle.down(_settings()))


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what runs. Exit code 0: all ready; 1: something is not; 3: nothing runs."""
    from pilothouse import status as command

    raise typer.Exit(command.status(_settings(), as_json=json))


@app.command()
def logs(
    name: Annotated[
        str | None,
        typer.Argument(help="postgres, ingest, worker, query, chat-ui, model-server or supervisor."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="Lines of each log.")] = 40,
) -> None:
    """Print the end of one log, or of all."""
    from pilothouse import lifecycle

    raise typer.Exit(lifecycle.logs(_settings(), name, follow=follow, lines=lines))


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with all that is in them.")],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Made if there is none.")] = "default",
) -> None:
    """Add documents and wait until they can be searched. Exit code 1 when any file failed."""
    from pilothouse import ingest as command
    from pilothouse.client import addresses

    home = _settings().home
    raise typer.Exit(command.ingest(paths, collection=collection, addresses=addresses(home)))


@app.command()
def ask(question: Annotated[str, typer.Argument(help="In quotes.")], collection: Collection = None) -> None:
    """Ask a question and print the answer with its sources."""
    from pilothouse import ask as command
    from pilothouse.client import addresses, connected

    with connected(addresses(_settings().home).query) as client:
        raise typer.Exit(command.ask(question, collection=collection, client=client))


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="In quotes.")],
    collection: Collection = None,
    mode: Annotated[
        Mode, typer.Option(help="By meaning (dense), by words (lexical), or both.")
    ] = Mode.HYBRID,
    limit: Annotated[int, typer.Option("--limit", "-k", min=1, max=100, help="Passages at most.")] = 5,
) -> None:
    """Print the passages that fit best, without an answer."""
    from pilothouse import ask as command
    from pilothouse.client import addresses, connected

    with connected(addresses(_settings().home).query) as client:
        raise typer.Exit(
            command.search(query, collection=collection, mode=mode.value, limit=limit, client=client)
        )


@app.command(name="eval")
def evaluate(
    folders: Annotated[list[Path], typer.Argument(help="Sets of judged questions in BEIR's layout.")],
    mode: Annotated[list[Mode] | None, typer.Option(help="Repeat for several; default: all.")] = None,
    limit_queries: Annotated[int | None, typer.Option(help="Only so many questions of each set.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the database in this folder, and use it again.")
    ] = None,
) -> None:
    """Measure how well search ranks, in a database of its own."""
    from pilothouse import evaluate as command

    modes = [wanted.value for wanted in mode] if mode else command.MODES
    raise typer.Exit(command.evaluate(folders, modes=modes, limit=limit_queries, output=json, keep=keep))


@app.command()
def doctor() -> None:
    """Check the installation and say what to do."""
    from pilothouse import doctor as command

    raise typer.Exit(command.doctor(_settings()))


def main() -> None:
    """Entry point."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except PermissionError as exc:
        from pilothouse.output import fail

        fail(f"{exc.filename} belongs to another user. Run as that user, or set PILOTHOUSE_HOME.", code=2)


def _settings() -> "LocalSettings":
    from pilothouse.home import SettingError, read_settings
    from pilothouse.output import fail

    try:
        return read_settings()
    except SettingError as exc:
        fail(str(exc), code=2)


if __name__ == "__main__":
    main()
