"""Passwords that a command needs: from standard input, or asked for at the terminal."""

from __future__ import annotations

import sys
import warnings
from getpass import GetPassWarning
from typing import Annotated

import typer

from app.command_line.wording import phrase

PasswordStdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def read_password(prompt: str, *, from_stdin: bool, confirm: bool = False) -> str:
    """Return the first line of standard input, or what is typed at the terminal without being shown.

    Args:
        prompt: what the terminal asks for.
        from_stdin: whether ``--password-stdin`` was given.
        confirm: ask twice.

    Raises:
        typer.BadParameter: when there is no terminal to ask at; names the option.
        typer.Abort: when the person stops it.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        with warnings.catch_warnings():
            # Without a terminal getpass warns, then reads what it would show.
            warnings.simplefilter("error", GetPassWarning)
            return _asked(prompt, confirm=confirm)
    except GetPassWarning as error:
        from app.command_line import language
        from models.messages import error_text

        text = error_text("password-no-terminal", {}, language())
        raise typer.BadParameter(text.explanation, param_hint="--password-stdin") from error


def _asked(prompt: str, *, confirm: bool) -> str:
    """Return what is typed at the terminal; twice the same where it is to be confirmed."""
    while True:
        password = str(typer.prompt(prompt, hide_input=True, err=True))
        if not confirm or typer.prompt(phrase("password-again"), hide_input=True, err=True) == password:
            return password
        typer.echo(phrase("password-differs"), err=True)
