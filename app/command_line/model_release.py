"""``imageflow model release``: models to stations, some first, then all, and back; works on the server over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.options import JsonOption, StoreOption, progress_bar
from app.command_line.passwords import PasswordStdinOption, read_password
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from sync.station.release_client import ReleaseClient

release_app = typer.Typer(
    help="Give models to stations: some first, then all, and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

UserOption = Annotated[str, typer.Option("--user", help="Who does it: supervisor or admin.")]
ServerOption = Annotated[str | None, typer.Option("--server", help="Address of the server; else the store's.")]
ReleaseArgument = Annotated[str, typer.Argument(metavar="RELEASE_ID", help="As `model release list` shows it.")]


@release_app.command("create")
def create_command(
    model: Annotated[Path, typer.Argument(help="Model file.", metavar="MODEL")],
    item: Annotated[str, typer.Option("--item", help="Id of the item that is inspected with it.")],
    user: UserOption,
    name: Annotated[str, typer.Option("--name", help="For people; else the name in the model file.")] = "",
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Upload a model file and make a draft of a release; no station inspects with it yet.

    The file is checked here to score as its training did, and by the server to fit the item.

    \b
    Examples:
      imageflow model release create part.model --item 0197c000-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    from inspection.model_library.checking import require_same_scores

    require_same_scores(model)
    with _signed_in(server, store, user, password_stdin) as client, progress_bar(phrase("uploading")) as advance:
        sha256 = client.upload(model, lambda done, size: advance(phrase("uploading"), done / size if size else 1.0))
        found = client.create(item, sha256, name)
    _show(found, as_json)


@release_app.command("stage")
def stage_command(
    release_id: ReleaseArgument,
    stations: Annotated[list[str], typer.Option("--station", help="Id of a station; may be given again.")],
    user: UserOption,
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a release to some stations; the others go on with what they have.

    \b
    Examples:
      imageflow model release stage 0198c0de-… --station 0197c0aa-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    with _signed_in(server, store, user, password_stdin) as client:
        _show(client.move(release_id, "stage", {"stations": stations}), as_json)


@release_app.command("publish")
def publish_command(
    release_id: ReleaseArgument,
    user: UserOption,
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a release to all stations.

    \b
    Examples:
      imageflow model release publish 0198c0de-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    with _signed_in(server, store, user, password_stdin) as client:
        _show(client.move(release_id, "release"), as_json)


@release_app.command("rollback")
def rollback_command(
    release_id: ReleaseArgument,
    user: UserOption,
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a release back from all stations: they go on with the one before, or with the item's own model.

    \b
    Examples:
      imageflow model release rollback 0198c0de-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    with _signed_in(server, store, user, password_stdin) as client:
        _show(client.move(release_id, "rollback"), as_json)


@release_app.command("show")
def show_command(
    release_id: ReleaseArgument,
    user: UserOption,
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a release and what each station found when it checked it.

    \b
    Examples:
      imageflow model release show 0198c0de-… --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    with _signed_in(server, store, user, password_stdin) as client:
        _show(client.get(release_id), as_json)


@release_app.command("list")
def list_command(
    user: UserOption,
    server: ServerOption = None,
    password_stdin: PasswordStdinOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest releases; one JSON object a line with --json.

    \b
    Examples:
      imageflow model release list --user sato
    """  # noqa: D301 - \b keeps the lines as they are
    with _signed_in(server, store, user, password_stdin) as client:
        found = client.newest()
    for release in found:
        _show(release, as_json)


@contextmanager
def _signed_in(server: str | None, store: Path | None, user: str, password_stdin: bool) -> Iterator[ReleaseClient]:
    """Sign in at the server; a store is only opened for its address."""
    from app.command_line import language
    from app.command_line.opened_store import opened_store
    from sync.station.release_client import ReleaseClient

    address = server
    if address is None:
        with opened_store(store, to_write=False) as workspace:
            address = workspace.link.server_url
    password = read_password(phrase("password-of", user=user), from_stdin=password_stdin)
    client = ReleaseClient(address, user, password, language=language())
    try:
        yield client
    finally:
        client.close()


def _show(release: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(release, ensure_ascii=False))
        return
    shown = {name: release[name] for name in ("id", "state", "name")}
    typer.echo(phrase("release-shown", **shown, item=release["item_id"]))
    typer.echo(phrase("release-file", digest=release["sha256"], megabytes=f"{release['size_bytes'] / 1e6:.1f}"))
    if release["stations"]:
        typer.echo(phrase("release-stations", stations=", ".join(release["stations"])))
    for report in release.get("reports", ()):
        sign, why = ("✓", "") if report["verified"] else ("✕", f"  {report['code']}")
        typer.echo(f"  {sign} {report['device_id']}  {report['at']}{why}")
