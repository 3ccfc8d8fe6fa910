"""The option with a role."""

from __future__ import annotations

from typing import Annotated

import typer

from models.states import Role

RoleName = Annotated[Role, typer.Option("--role", help="What the user or machine may do.")]
