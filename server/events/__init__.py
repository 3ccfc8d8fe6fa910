"""The event bus: one interface, in-process by default."""
