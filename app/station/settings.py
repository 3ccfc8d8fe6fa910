"""Settings of a station: environment (``IMAGEFLOW_…``) over the store's ``settings.json`` over the defaults."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from inspection.imaging.reading import PagePolicy, Reading
from models.errors import InvalidInput, Unavailable
from models.messages import LocalText
from models.misspelt import unknown_settings
from models.rejections import first_problem, not_json
from models.storage import folder_reason, reason_of, write_atomically
from sync.station.hold import Hold, MeteredLink

SETTINGS_FILE = "settings.json"


def _values(text: str) -> str:
    if text:
        # Loads NumPy, which the window is shown without.
        from inspection.imaging.value_range import parse_values

        parse_values(text)
    return text


class StationSettings(BaseSettings):
    """What may differ from one station to the next."""

    model_config = SettingsConfigDict(env_prefix="IMAGEFLOW_", extra="ignore", frozen=True)

    home: Path | None = Field(default=None, description="Folder of the store; empty takes the platform's data folder.")
    language: Literal["en", "ja"] | None = Field(
        default=None, description="Language of texts; empty takes the system's."
    )
    theme: Literal["light", "dark"] = Field(default="light", description="Colours of the window.")
    source: str = Field(
        default="",
        max_length=2_000,
        description="Where images come from: a folder, watch:FOLDER, a video file, usb:0, an rtsp:// address or "
        "genicam:ADDRESS; empty until one is chosen.",
    )
    image_values: Annotated[str, AfterValidator(_values)] = Field(
        default="",
        description="Values that are black and white in image files deeper than 8 bits: a bit depth, as 12, or "
        "LOW:HIGH; empty takes what each file declares or shows.",
    )
    image_pages: PagePolicy = Field(
        default="refuse", description="Whether image files of several pages are refused or their first page is taken."
    )
    gate: str = Field(
        default="",
        max_length=2_000,
        description="Bounds of image quality that an image must keep to be inspected: usual, or a file that "
        "imageflow gate learn wrote; empty for none. A camera's image is also compared with the frame before.",
    )
    target_code: str = Field(
        default="", max_length=64, description="Code of the target that was inspected last; it is offered first."
    )
    opacity: float = Field(default=0.5, ge=0, le=1, description="Opacity of the heatmap over the image, 0 to 1.")
    sync_interval_s: float = Field(
        default=30.0, ge=1, le=86_400, description="Seconds between two sync passes when nothing else requests one."
    )
    sync_hold: Hold = Field(
        default=Hold.NOTHING,
        description="What waits while the link to the server is paid by volume: nothing, images, or everything.",
    )
    sync_metered: MeteredLink = Field(
        default=MeteredLink.AUTO,
        description="Whether the link to the server counts as paid by volume, so that images and models wait: auto "
        "asks the system; always and never overrule it.",
    )
    request_timeout_s: float = Field(
        default=10.0, gt=0, le=600, description="Seconds a request to the server may take."
    )
    machine_id: str = Field(
        default="",
        max_length=200,
        description="What tells this machine from others, where the system's own id changes, as in a container that "
        "is made again at each start; empty takes the system's.",
    )
    offline_sign_in_days: int = Field(
        default=14, ge=0, le=365, description="Days a sign-in without the server is possible after one with it."
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Days that images the server has acknowledged stay here; empty keeps all.",
    )
    retention_keep_ng: bool = Field(default=False, description="Images of NG parts stay whatever their age.")
    disk_warning_mb: int = Field(
        default=2_000, ge=0, le=10_000_000, description="Free megabytes of the disk below which the station warns."
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="Processor threads of one model; 0 chooses by the processor."
    )
    models_in_memory: int = Field(default=4, ge=1, le=64, description="How many models are kept loaded.")

    @property
    def reading(self) -> Reading:
        """How image files are read."""
        if not self.image_values:
            return Reading(pages=self.image_pages)
        from inspection.imaging.value_range import parse_values

        return Reading(parse_values(self.image_values), self.image_pages)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose values come as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(store: Path) -> StationSettings:
    """Return the settings of the station in ``store``.

    Raises:
        InvalidInput: ``settings-invalid`` naming the file or variable, the setting and what is wrong with it;
            ``settings-malformed`` when the file is not a JSON object.
        Unavailable: ``file-not-read`` when the system refuses to read the file, ``store-folder-unusable`` when
            ``store`` is no folder.
    """
    path = store / SETTINGS_FILE
    return _checked(path, _stored(path))


def unknown_in_file(store: Path) -> list[InvalidInput]:
    """Return an error for each name in the store's file that is no setting; those have no effect.

    Raises:
        InvalidInput, Unavailable: as ``load_settings``.
    """
    path = store / SETTINGS_FILE
    return unknown_settings(_stored(path), StationSettings.model_fields, path)


def save_settings(store: Path, **changes: object) -> StationSettings:
    """Change settings in the store's file and return what holds from now on.

    Raises:
        InvalidInput: ``settings-invalid`` when a value is not allowed, ``settings-malformed`` when the file is not a
            JSON object; it stays as it was.
        Unavailable: ``file-disk-full`` or ``file-not-written``; the file stays as it was.
    """
    path = store / SETTINGS_FILE
    values = {**_stored(path), **changes}
    settings = _checked(path, values)
    text = json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    write_atomically(path, (text + "\n").encode())
    return settings


def store_folder(given: Path | None = None) -> Path:
    """Return the folder of the station's store: as given, else ``IMAGEFLOW_HOME``, else the platform's data folder."""
    if given is not None:
        return given
    return _checked(Path(SETTINGS_FILE), {}).home or user_data_path("ImageFlow", appauthor=False)


def folder_unusable(store: Path, error: OSError) -> Unavailable:
    """Return the user-facing error for an ``error`` that kept ``store`` from being the folder of a store."""
    return Unavailable("store-folder-unusable", folder=str(store), reason=folder_reason(error))


def demo_store(store: Path) -> Path:
    """Return where the demo keeps its practice store beside the real one."""
    return store / "demo"


def _stored(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        raise folder_unusable(path.parent, error) from error
    except OSError as error:
        raise Unavailable("file-not-read", file=str(path), reason=reason_of(error)) from error
    except ValueError as error:
        raise InvalidInput("settings-malformed", file=str(path), reason=not_json(error)) from error
    if not isinstance(values, dict):
        raise InvalidInput("settings-malformed", file=str(path), reason=LocalText.of("value-dict-type", {}))
    return values


def _checked(path: Path, values: dict[str, Any]) -> StationSettings:
    known = {name: value for name, value in values.items() if name in StationSettings.model_fields}
    try:
        return StationSettings(**known)
    except ValidationError as error:
        setting, reason = first_problem(error)
        variable = f"IMAGEFLOW_{setting.upper()}"
        # The environment wins over the file, so it is named when the setting is in both.
        place = str(path) if setting in known and variable not in os.environ else variable
        raise InvalidInput("settings-invalid", file=place, setting=setting, reason=reason) from error
