"""The records both sides keep, their states, errors, ids and clock: the one vocabulary of the station and the server."""
