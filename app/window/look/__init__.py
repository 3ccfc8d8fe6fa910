"""Language, theme and style sheet."""
