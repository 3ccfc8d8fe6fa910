"""Schema versions, one file each, oldest first; a released file is never changed."""
