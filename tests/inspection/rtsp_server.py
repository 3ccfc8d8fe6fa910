"""A small real RTSP server (RFC 2326) that sends JPEG over RTP (RFC 2435), interleaved on its TCP connection."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field

import numpy as np

from inspection.opencv import cv2

_QUALITY = 80
_PACKET = 1200


def _scan(jpeg: bytes) -> bytes:
    """The entropy-coded data of a baseline JPEG with the standard tables."""
    position = 2
    while jpeg[position + 1] != 0xDA:
        position += 2 + struct.unpack_from(">H", jpeg, position + 2)[0]
    return jpeg[position + 2 + struct.unpack_from(">H", jpeg, position + 2)[0] : -2]


@dataclass
class RtspServer:
    """Serves one colour (RGB) to every client until it is stopped; can be started again on the same port."""

    colour: tuple[int, int, int]
    width: int = 160
    height: int = 96
    credentials: str | None = None
    port: int = 0
    rate: float = 25.0
    _listener: socket.socket | None = None
    _clients: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        user = f"{self.credentials}@" if self.credentials else ""
        return f"rtsp://{user}127.0.0.1:{self.port}/live"

    def start(self) -> None:
        self._stop = threading.Event()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._spawn(self._accept, listener)

    def stop(self) -> None:
        """Die as a server dies: the listener and every connection at once."""
        self._stop.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
        for thread in self._threads:
            thread.join(10)
        self._clients, self._threads = [], []

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]  # any callable
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                client, _ = listener.accept()
                self._clients.append(client)
                self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            buffer = b""
            while not self._stop.is_set():
                data = client.recv(4096)
                if not data:
                    return
                buffer += data
                while b"\r\n\r\n" in buffer and not buffer.startswith(b"$"):
                    request, _, buffer = buffer.partition(b"\r\n\r\n")
                    self._answer(client, request.decode())
                if buffer.startswith(b"$"):
                    buffer = b""  # receiver reports, not needed

    def _answer(self, client: socket.socket, request: str) -> None:
        method, _, rest = request.partition(" ")
        fields = dict(line.split(": ", 1) for line in rest.split("\r\n")[1:] if ": " in line)
        lines, body = [f"CSeq: {fields.get('CSeq', '0')}"], ""
        status = "200 OK"
        if self.credentials and method != "OPTIONS" and not self._allowed(fields):
            status = "401 Unauthorized"
            lines.append('WWW-Authenticate: Basic realm="camera"')
        elif method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                f"m=video 0 RTP/AVP 26\r\na=framerate:{self.rate:.0f}\r\na=control:track0\r\n"
            )
            lines += ["Content-Type: application/sdp", f"Content-Base: {self.url}/", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
        else:
            lines.append("Session: 1")
        client.sendall(f"RTSP/1.0 {status}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode())
        if method == "PLAY" and status.startswith("200"):
            self._spawn(self._play, client)

    def _allowed(self, fields: dict[str, str]) -> bool:
        expected = base64.b64encode((self.credentials or "").encode()).decode()
        return fields.get("Authorization") == f"Basic {expected}"

    def _play(self, client: socket.socket) -> None:
        pixels = np.full((self.height, self.width, 3), self.colour[::-1], np.uint8)
        done, jpeg = cv2.imencode(
            ".jpg",
            pixels,
            [
                cv2.IMWRITE_JPEG_QUALITY,
                _QUALITY,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
            ],
        )
        assert done
        scan = _scan(jpeg.tobytes())
        sequence, frame = 0, 0
        with contextlib.suppress(OSError):
            while not self._stop.wait(1 / self.rate):
                stamp = int(frame * 90_000 / self.rate) & 0xFFFFFFFF
                for start in range(0, len(scan), _PACKET):
                    part = scan[start : start + _PACKET]
                    last = start + _PACKET >= len(scan)
                    rtp = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), sequence & 0xFFFF, stamp, 1)
                    header = struct.pack(">IBBBB", start & 0xFFFFFF, 1, _QUALITY, self.width // 8, self.height // 8)
                    packet = rtp + header + part
                    client.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                    sequence += 1
                frame += 1
