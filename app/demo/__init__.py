"""The operator's whole day in miniature, on sample parts: real server process, real training, real store, real sync."""
