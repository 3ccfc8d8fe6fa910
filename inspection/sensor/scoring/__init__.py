"""Scoring rows: whole tables, streams, drift."""
