"""Bytes by their SHA-256 digest: a local folder or any S3 API."""
