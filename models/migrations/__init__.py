"""Alembic migrations of the one schema that stations and servers share."""
