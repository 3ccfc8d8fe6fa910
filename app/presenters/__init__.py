"""State and decisions of the screens; no widget and no Qt in here."""
