"""The log of changes that stations pull, and cursors into it."""
