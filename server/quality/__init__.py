"""Statistics of completed sessions."""
