"""Executions: pipelines run on the server."""
