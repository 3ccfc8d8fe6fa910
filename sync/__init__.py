"""Offline-first synchronisation: what is written here without a server reaches it later, once, in order."""
