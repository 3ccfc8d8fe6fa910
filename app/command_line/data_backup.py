"""``imageflow data backup`` and ``restore``: of a station's store or of a server's data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.command_line.options import DataDirOption, JsonOption, StoreOption, in_fractions, progress_bar
from app.command_line.tables import labelled_lines
from app.command_line.wording import phrase
from models.clock import rfc3339

if TYPE_CHECKING:
    from models.backup import BackupManifest

_OUT = "--out"


def backup_command(
    out: Annotated[Path, typer.Option(_OUT, "--output", help="Folder to make; it must be new or empty.")],
    store: StoreOption = None,
    data_dir: DataDirOption = None,
    with_secret: Annotated[
        bool,
        typer.Option(
            "--with-secret", help="Also the server's keys that sign tokens and releases: keep the backup safe."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Back up the station's store, or a server's data with --data-dir; both may be at work meanwhile.

    A server's PostgreSQL database is backed up by its own means: pg_dump, or base backups with archived logs.

    \b
    Examples:
      imageflow data backup --out D:/backup/2026-03-01
      imageflow data backup --data-dir /srv/imageflow --out /backup/2026-03-01
    """  # noqa: D301 - \b keeps the lines as they are
    from app.command_line import warn

    one_side(store, data_dir)
    with progress_bar(str(out)) as advance:
        on_file = in_fractions(str(out), advance)
        if data_dir is not None:
            from app.command_line.variables import server_settings
            from server.process.backup import back_up_server

            manifest = back_up_server(server_settings(data_dir=data_dir), out, with_secret=with_secret, on_file=on_file)
        else:
            from app.station.operations.backup import back_up_store
            from app.station.settings import store_folder

            manifest = back_up_store(store_folder(store), out, on_file)
    if manifest.objects_elsewhere:
        warn("backup-objects-elsewhere")
    done = {"folder": out, "database": manifest.database, "files": manifest.files}
    typer.echo(manifest.model_dump_json() if as_json else phrase("backup-done", **done))


def restore_command(
    backup: Annotated[Path | None, typer.Argument(help="Folder that backup made.", metavar="BACKUP")] = None,
    mark: Annotated[
        bool, typer.Option("--mark", help="Only say that the data were put back, by whatever other means.")
    ] = False,
    store: StoreOption = None,
    data_dir: DataDirOption = None,
    even_unsent: Annotated[
        bool, typer.Option("--even-unsent", help="Also where the present store holds changes the server lacks.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup back; the database that was there is kept under another name, images are only added.

    After it a server and its stations compare what they hold: stations send again what the backup does not hold, and
    a restored station takes back what it had sent. Use --mark after the data were put back by other means, as with
    PostgreSQL or a snapshot of a disk.

    \b
    Examples:
      imageflow data restore D:/backup/2026-03-01
      imageflow data restore /backup/2026-03-01 --data-dir /srv/imageflow
      imageflow data restore --mark --data-dir /srv/imageflow
    """  # noqa: D301 - \b keeps the lines as they are
    one_side(store, data_dir)
    if mark == (backup is not None):
        raise typer.BadParameter("name a backup, or give --mark", param_hint="BACKUP")
    if backup is None:
        report = _marked(store, data_dir)
    elif data_dir is not None:
        report = _server_restored(backup, data_dir)
    else:
        report = _station_restored(backup, store, even_unsent)
    if as_json:
        typer.echo(json.dumps(report))
        return
    rows = [(phrase(f"restore-{name}"), str(value)) for name, value in report.items() if value not in {None, ""}]
    typer.echo("\n".join(labelled_lines(rows)))


def one_side(store: Path | None, data_dir: Path | None) -> None:
    """Check that the store of a station is named, or the data folder of a server, not both.

    Raises:
        BadParameter: when both are.
    """
    if store is not None and data_dir is not None:
        raise typer.BadParameter("a station has --store, a server --data-dir", param_hint="--data-dir")


def _marked(store: Path | None, data_dir: Path | None) -> dict[str, object]:
    if data_dir is not None:
        from app.command_line.variables import server_settings
        from server.process.backup import mark_restored as mark_server

        return {"generation": mark_server(server_settings(data_dir=data_dir))}
    from app.station.operations.backup import mark_restored
    from app.station.settings import store_folder

    folder = store_folder(store)
    mark_restored(folder)
    return {"marked": str(folder)}


def _server_restored(backup: Path, data_dir: Path) -> dict[str, object]:
    from app.command_line.variables import server_settings
    from server.process.backup import restore_server

    with progress_bar(str(data_dir)) as advance:
        settings = server_settings(data_dir=data_dir)
        manifest, kept = restore_server(settings, backup, on_file=in_fractions(str(data_dir), advance))
    return {
        "restored": str(data_dir),
        "backup_of": manifest.made_at.isoformat(),
        "kept_as": str(kept) if kept else None,
    }


def _station_restored(backup: Path, store: Path | None, even_unsent: bool) -> dict[str, object]:
    from app.command_line import warn
    from app.station.operations.backup import restore_store
    from app.station.settings import store_folder

    folder = store_folder(store)
    with progress_bar(str(folder)) as advance:
        done = restore_store(backup, folder, even_unsent=even_unsent, on_file=in_fractions(str(folder), advance))
    if done.unsent:
        warn("restore-left-unsent", count=done.unsent, file=str(done.kept_as))
    return _report(folder, done.manifest, done.kept_as)


def _report(folder: Path, manifest: BackupManifest, kept: Path | None) -> dict[str, object]:
    return {
        "restored": str(folder),
        "backup_of": rfc3339(manifest.made_at),
        "kept_as": str(kept) if kept is not None else None,
    }
