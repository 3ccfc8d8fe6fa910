"""The station's side of sync: outbox, engine, client, blobs."""
