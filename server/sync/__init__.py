"""The server's side of the sync protocol: apply, change log, pull, snapshot and blobs."""
