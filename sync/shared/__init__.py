"""The protocol and the merge rules, which station and server share."""
