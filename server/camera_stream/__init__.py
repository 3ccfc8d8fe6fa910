"""Live video through a pipeline: the newest frame of each stream, by gRPC and by WebSocket."""
