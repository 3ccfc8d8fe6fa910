"""The server as one process, or as several that share a socket."""
