"""How fast, and in how much memory, stations and the server synchronise; each side in a process of its own."""
