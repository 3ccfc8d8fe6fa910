"""Daily counts of completed sessions, kept in the transactions that change the facts; ``server.quality`` reads them."""
