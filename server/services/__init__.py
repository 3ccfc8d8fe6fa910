"""The gRPC services as the server uses them: addresses, balancing, retries, circuits, health."""
