"""What a user does at a station, without a screen: each function is one piece of work, run off the window's thread.

An operation takes the workspace and who does it, writes in one transaction, and raises ``UserFacingError`` for trouble
of the world.
"""
