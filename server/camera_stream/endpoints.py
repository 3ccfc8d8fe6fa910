"""``/ws/camera-stream`` and ``/api/v1/camera-stream``: the WebSocket face of streams."""

from __future__ import annotations

import asyncio

from starlette.routing import WebSocketRoute

from models.errors import InvalidInput, UserFacingError
from server.camera_stream.frames import ProcessedFrame, StreamStatus
from server.camera_stream.messages import follow, message_of, parse_control
from server.camera_stream.service import CameraStreams
from server.camera_stream.stream import CameraStream
from server.http.live_socket import LiveSocket
from server.http.paths import PREFIX
from server.http.websockets import websocket_route


def camera_stream_routes(streams: CameraStreams, most_bytes: int) -> tuple[WebSocketRoute, ...]:
    """Return the routes.

    Args:
        streams: of this process.
        most_bytes: of a frame; the connection of a larger one ends with code 1009 before it is read.
    """

    async def serve(socket: LiveSocket) -> None:
        async with streams.open() as stream:
            await socket.accept(most_bytes=most_bytes, live=True)
            await socket.send(message_of(stream.state, socket.language))
            reading = asyncio.create_task(_read(socket, stream))
            writing = asyncio.create_task(_write(socket, stream))
            try:
                done, _ = await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (reading, writing):
                    task.cancel()
                await asyncio.gather(reading, writing, return_exceptions=True)

    return tuple(websocket_route(path, serve) for path in ("/ws/camera-stream", f"{PREFIX}/camera-stream"))


async def _read(socket: LiveSocket, stream: CameraStream) -> None:
    """Take frames and control messages as they come, until the client has gone or sends what no client sends."""
    reported = False
    while True:
        given = await socket.receive()
        if isinstance(given, str):
            stream.count_control()
            try:
                follow(stream, parse_control(given))
            except UserFacingError as error:
                stream.report(error)
            reported = False
            continue
        stream.offer(given)
        if stream.state.status is StreamStatus.STOPPED and not reported:
            reported = True
            stream.report(InvalidInput("stream-not-started"))


async def _write(socket: LiveSocket, stream: CameraStream) -> None:
    async for output in stream.outputs():
        await socket.send(message_of(output, socket.language))
        if isinstance(output, ProcessedFrame):
            await socket.send(output.image.jpeg)
        # The next picture is made when it can leave at once; it would get old waiting for this one.
        await socket.room()
