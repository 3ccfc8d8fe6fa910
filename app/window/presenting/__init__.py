"""What presenters share; no widget and no Qt in here."""
