"""Settings of the server: environment (``IMAGEFLOW_SERVER_…``) and command line; a description each."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from models.errors import InvalidInput
from models.rejections import RejectedValueError
from server.core.hosts import is_loopback, is_wide
from server.core.kept_keys import KEY_LENGTH

PREFIX = "IMAGEFLOW_SERVER_"
ADDRESS_FILE = "server.json"
DATABASE_FILE = "server.sqlite3"
_MEBI = 1024 * 1024


def default_data_dir() -> Path:
    """Return the server's folder among the platform's data folders."""
    return user_data_path("ImageFlow Server", appauthor=False)


def default_slots(processors: int) -> int:
    """Return how many executions run at once: two more than processors, since some wait for disk or network."""
    return processors + 2


class ServerSettings(BaseSettings):
    """What may differ from one server to the next."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of database, objects and secret.")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of the database; empty takes a SQLite file in the data folder."
    )
    objects_url: str | None = Field(
        default=None, description="URL of the object store (file:///…, s3://bucket/…); empty takes a local folder."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 takes any that is free.")
    tls_cert: Path | None = Field(default=None, description="PEM file of the certificate chain.")
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's private key.")
    proxy: str = Field(
        default="", description="Addresses of the TLS reverse proxy before this server, separated by commas."
    )
    insecure: bool = Field(default=False, description="Allow plain HTTP beyond this computer.")
    jwt_secret: SecretStr | None = Field(
        default=None, description="Key that signs tokens, at least 32 characters; empty keeps one in the data folder."
    )
    access_token_minutes: int = Field(default=15, ge=1, le=1_440, description="Life of an access token.")
    refresh_token_days: int = Field(default=14, ge=1, le=365, description="Life of a refresh token.")
    device_token_minutes: int = Field(default=60, ge=1, le=1_440, description="Life of a station's own token.")
    enrolment_code_hours: int = Field(default=24, ge=1, le=720, description="How long an enrolment code is good.")
    sign_in_attempts: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="Failed sign-ins a minute for one name from one address; ten times that for each alone.",
    )
    password_min_length: int = Field(
        default=15, ge=8, le=128, description="Least length of a password; below 15 only beside a second factor."
    )
    cors_origins: list[str] = Field(default=[], description="Origins of browsers that may call; closed by default.")
    max_upload_bytes: int = Field(default=64 * _MEBI, ge=1, description="Most bytes of one uploaded file.")
    max_image_pixels: int = Field(default=100_000_000, ge=1, description="Most pixels of one uploaded image.")
    max_body_bytes: int = Field(default=2 * _MEBI, ge=1_024, description="Most bytes of any other request body.")
    max_chunk_bytes: int = Field(default=16 * _MEBI, ge=1_024, description="Most bytes of one chunk of a blob.")
    max_json_values: int = Field(default=100_000, ge=1_000, description="Most values in a JSON body.")
    max_connections: int = Field(default=500, ge=1, le=65_535, description="Most connections at once.")
    presigned_downloads: bool = Field(
        default=False, description="Redirect downloads to the S3 store, which clients must reach, by signed addresses."
    )
    objects_grace_hours: int = Field(
        default=24, ge=1, le=8_760, description="Hours that an object stays which no record names; uploads take less."
    )
    kafka_bootstrap: str | None = Field(
        default=None, description="Kafka brokers, host:port with commas between; empty keeps events in the process."
    )
    kafka_topic_prefix: str = Field(
        default="", max_length=100, description="Prefix of all Kafka topics and consumer groups."
    )
    kafka_create_topics: bool = Field(default=True, description="Create Kafka topics that are missing.")
    kafka_partitions: int = Field(default=6, ge=1, le=1_000, description="Partitions of a topic that is created.")
    kafka_options: dict[str, str] = Field(
        default={}, description="Further settings of librdkafka as JSON, those of TLS and SASL above all."
    )
    websockets_per_principal: int = Field(
        default=32, ge=1, le=65_535, description="Most WebSocket connections of one user, station or key at once."
    )
    websocket_ping_s: float = Field(
        default=20, gt=0, le=600, description="Seconds between two pings of a WebSocket, and for its answer to come."
    )
    websocket_unread_s: float = Field(
        default=10, gt=0, le=600, description="Seconds that a WebSocket client may leave what it was sent unread."
    )
    head_timeout_s: float = Field(default=10, gt=0, le=600, description="Seconds for the head of a request to come.")
    body_timeout_s: float = Field(
        default=30, gt=0, le=3_600, description="Seconds for a body to come, beside one for each KiB of it."
    )
    max_json_depth: int = Field(default=32, ge=4, le=500, description="Deepest nesting of a JSON body.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that serve; more than one needs PostgreSQL.")
    threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Threads of a process that read; empty: 4 with the embedded database, 16 with PostgreSQL.",
    )
    execution_slots: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="Executions of a process at once; empty: 2 more than processors; 0: `imageflow worker` runs all.",
    )
    execution_lease_s: float = Field(
        default=15, ge=1, le=600, description="Seconds after which the execution of a worker that died is taken over."
    )
    execution_attempts: int = Field(
        default=3, ge=1, le=20, description="How often an execution is begun before it is given up."
    )
    execution_retention_days: int = Field(
        default=30, ge=1, le=3_650, description="Days that an ended execution and its outputs are kept."
    )
    execution_models: int = Field(default=4, ge=1, le=64, description="Models that a worker keeps loaded.")
    max_execution_files: int = Field(default=100, ge=1, le=1_000, description="Most input files of one execution.")
    max_execution_bytes: int = Field(
        default=2_048 * _MEBI, ge=1_024, description="Most bytes of all input files of one execution."
    )
    ai_inspection_timeout_s: float = Field(
        default=60, gt=0, le=600, description="Seconds that the client of an AI inspection waits for its result."
    )
    models: dict[str, Path] = Field(
        default={}, description="Model files by the names that pipelines and services use, as a JSON object."
    )
    grpc_host: str = Field(default="127.0.0.1", description="Address that the gRPC services listen on.")
    grpc_port: int = Field(
        default=50_051,
        ge=0,
        le=65_532,
        description="First port of the gRPC services in this process, one each; 0 takes any that are free.",
    )
    grpc_resize: str = Field(
        default="", description="Addresses of ResizeService, separated by commas; empty: in this process."
    )
    grpc_ai_detection: str = Field(
        default="", description="Addresses of AIDetectionService, separated by commas; empty: in this process."
    )
    grpc_filter: str = Field(
        default="", description="Addresses of FilterService, separated by commas; empty: in this process."
    )
    grpc_camera_stream: str = Field(
        default="", description="Addresses of CameraStreamService, separated by commas; empty: in this process."
    )
    grpc_secret: SecretStr | None = Field(
        default=None, description="Secret that gRPC services and the server share, at least 32 characters."
    )
    grpc_tls_cert: Path | None = Field(default=None, description="PEM file of the gRPC services' certificate chain.")
    grpc_tls_key: Path | None = Field(default=None, description="PEM file of its private key.")
    grpc_tls_ca: Path | None = Field(
        default=None, description="PEM file of who signs their certificates; clients then need one too."
    )
    grpc_tls_name: str = Field(
        default="", description="Name in the services' certificate; empty takes the host of their address."
    )
    grpc_max_message_bytes: int = Field(
        default=16 * _MEBI, ge=64 * 1024, le=1024 * _MEBI, description="Most bytes of one gRPC message."
    )
    grpc_threads: int = Field(
        default=0, ge=0, le=256, description="Threads of each gRPC service; 0 takes one for each processor."
    )
    pipelines: dict[str, Path] = Field(
        default={}, description="Pipeline files by the names that camera streams may use, as a JSON object."
    )
    stream_max_frame_bytes: int = Field(default=8 * _MEBI, ge=1_024, description="Most bytes of a frame of a stream.")
    stream_max_frame_pixels: int = Field(default=16_000_000, ge=1, description="Most pixels of a frame of a stream.")
    stream_most: int = Field(default=32, ge=1, le=1_000, description="Most camera streams of a process at once.")
    stream_threads: int = Field(
        default=0, ge=0, le=256, description="Threads that frames are processed on; 0 takes one for each processor."
    )
    stream_archive_confidence: float = Field(
        default=0.6, ge=0, le=1, description="Frames whose verdict is less confident than this are archived."
    )
    stream_archive_per_minute: float = Field(
        default=12, ge=0, le=6_000, description="Most frames of one source that are archived a minute, in the long run."
    )
    time_zone: str = Field(
        default="UTC", description="Time zone of the site, as `Asia/Tokyo`; statistics count by its days."
    )
    alert_period_s: float = Field(
        default=15, ge=1, le=3_600, description="Seconds between two evaluations of the alert rules."
    )
    alert_language: Literal["ja", "en"] = Field(default="en", description="Language of alerts by mail and webhook.")
    alert_webhook_key: SecretStr | None = Field(
        default=None,
        description="Key that signs webhooks, at least 32 characters; empty keeps one in the data folder.",
    )
    alert_webhook_networks: list[str] = Field(
        default=[], description="Networks that are not public and that webhooks may call, as a JSON list."
    )
    alert_webhook_ca: Path | None = Field(
        default=None, description="PEM file of who signs certificates of webhooks; empty: the system's list."
    )
    alert_webhook_timeout_s: float = Field(
        default=10, gt=0, le=120, description="Seconds for each step of a webhook's call."
    )
    smtp_host: str | None = Field(default=None, description="SMTP server of alerts by mail; empty sends none.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Port of the SMTP server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection is encrypted; `none` on this computer, or with `--insecure`.",
    )
    smtp_username: str = Field(default="", description="Account at the SMTP server; empty signs in nowhere.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_sender: str = Field(default="", description="Address that alerts are sent from.")
    smtp_ca: Path | None = Field(
        default=None, description="PEM file of who signs the SMTP server's certificate; empty: the system's list."
    )
    smtp_timeout_s: float = Field(default=20, gt=0, le=300, description="Seconds for each step of sending a mail.")
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="OpenTelemetry collector that takes spans over HTTP, as `http://127.0.0.1:4318`; empty sends none.",
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="Least level logged.")

    @field_validator("cors_origins")
    @classmethod
    def _no_wildcard(cls, origins: list[str]) -> list[str]:
        if "*" in origins:
            raise RejectedValueError("value-wide-origin")
        return origins

    @field_validator("proxy")
    @classmethod
    def _named_proxies(cls, proxy: str) -> str:
        if "*" in proxy or any(is_wide(part.strip()) for part in proxy.split(",")):
            raise RejectedValueError("value-wide-proxy")
        return proxy

    @field_validator("alert_webhook_networks")
    @classmethod
    def _real_networks(cls, networks: list[str]) -> list[str]:
        for network in networks:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as error:
                raise RejectedValueError("value-network", network=network) from error
        return networks

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise RejectedValueError("value-time-zone", name=name) from error
        return name

    @field_validator("jwt_secret", "grpc_secret", "alert_webhook_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < KEY_LENGTH:
            raise RejectedValueError("value-string-too-short", min_length=KEY_LENGTH)
        return secret

    @model_validator(mode="after")
    def _both_tls_files(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise RejectedValueError("value-tls-pair")
        if (self.grpc_tls_cert is None) != (self.grpc_tls_key is None):
            raise RejectedValueError("value-tls-pair-of-services")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site."""
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> str:
        """The database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{(self.data_dir / DATABASE_FILE).absolute()}"

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None when the database is a server's."""
        try:
            url = make_url(self.database)
        except ArgumentError:
            return None  # Told when it is opened.
        if url.get_backend_name() != "sqlite":
            return None
        return Path(url.database or DATABASE_FILE).absolute()

    @property
    def objects(self) -> str:
        """The object store's URL, with the default filled in."""
        return self.objects_url or (self.data_dir / "objects").absolute().as_uri()

    @property
    def slots(self) -> int:
        """How many executions a process runs at once."""
        if self.execution_slots is not None:
            return self.execution_slots
        return default_slots(self._processors)

    @property
    def _processors(self) -> int:
        """How many processors a process has for itself."""
        return max(1, (os.cpu_count() or 1) // self.workers)

    @property
    def images_at_once(self) -> int:
        """How many images a model works on at the same time, each with fewer threads: as many as come at once."""
        return max(1, min(self.slots, self._processors))

    def require_safe_transport(self) -> None:
        """Check that nothing travels in clear beyond this computer by accident.

        Raises:
            InvalidInput: ``server-insecure-host``.
        """
        if is_loopback(self.host) or self.tls_cert or self.proxy or self.insecure:
            return
        raise InvalidInput("server-insecure-host", host=self.host)

    def require_safe_services(self) -> None:
        """Check that gRPC services beyond this computer know who calls, and that nothing travels in clear by accident.

        Raises:
            InvalidInput: ``service-open-host`` or ``service-insecure-host``.
        """
        if is_loopback(self.grpc_host):
            return
        # Who signs the clients' certificates is asked only over TLS, which needs a certificate of one's own.
        if self.grpc_secret is None and (self.grpc_tls_ca is None or self.grpc_tls_cert is None):
            raise InvalidInput("service-open-host", host=self.grpc_host)
        if self.grpc_tls_cert is None and not self.insecure:
            raise InvalidInput("service-insecure-host", host=self.grpc_host)

    def require_safe_mail(self) -> None:
        """Check that neither the SMTP account nor alerts travel in clear beyond this computer by accident.

        Raises:
            InvalidInput: ``mail-insecure``.
        """
        if self.smtp_host is None or self.smtp_security != "none" or self.insecure or is_loopback(self.smtp_host):
            return
        raise InvalidInput("mail-insecure", host=self.smtp_host)
