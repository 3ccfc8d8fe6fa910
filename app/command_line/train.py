"""``imageflow train``: models from one's own images."""

from __future__ import annotations

import typer

from app.command_line.train_detector import train_detector_command
from app.command_line.train_images import train_images_command
from app.command_line.train_sensor import train_sensor_command

train_app = typer.Typer(help="Train a model.", no_args_is_help=True, add_completion=False)
train_app.command("images")(train_images_command)
train_app.command("detector")(train_detector_command)
train_app.command("sensor")(train_sensor_command)


@train_app.callback()
def _train() -> None:
    """Train a model from your own images."""
