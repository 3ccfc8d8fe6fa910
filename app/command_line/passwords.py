"""Passwords that a command needs: from standard input, or asked for at the terminal."""

from __future__ import annotations

import sys
import warnings
from getpass import GetPassWarning
from typing import Annotated

import typer

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
            return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    except GetPassWarning as error:
        from app.command_line import language
        from models.messages import error_text

        text = error_text("password-no-terminal", {}, language())
        raise typer.BadParameter(f"{text.detail} {text.advice}", param_hint="--password-stdin") from error
