"""The station without a window: its store, settings, server link, models kept loaded, and operations. No Qt in here."""
