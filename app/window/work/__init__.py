"""The work screen: scan, capture, verdict, human verification."""
