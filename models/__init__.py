"""The records both sides keep, their states, errors, ids and clock: the vocabulary of station and server."""
