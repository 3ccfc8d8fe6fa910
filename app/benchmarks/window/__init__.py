"""Start of the station's window: time to the first paint and to the sign-in screen, memory, modules loaded."""
