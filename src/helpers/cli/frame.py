"""What the command lines of learners and of instructors have in common: `--version`, and the end at an error."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer
from rich.console import Console


def program(name: str, told: str) -> typer.Typer:
    """Return a program without commands that knows its version.

    Args:
        name: what it is called by.
        told: what it is for.
    """
    app = typer.Typer(help=told, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    def tell_version(asked: bool) -> None:
        if asked:
            import helpers

            typer.echo(f"{name} {helpers.__version__}")
            raise typer.Exit

    version = typer.Option(False, "--version", callback=tell_version, is_eager=True, help="Say the version and stop.")

    @app.callback()
    def options(version: bool = version) -> None:
        pass

    return app


def stop(name: str, error: object) -> NoReturn:
    """End a program with one line and exit code 2."""
    Console(stderr=True).print(f"{name}: {error}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)
