"""The changes that the server refused."""
