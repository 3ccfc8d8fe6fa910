"""What sessions publish."""

from __future__ import annotations

from server.events.topics import Topic
from server.sessions.schemas import SessionReply

SESSION_CHANGED = Topic("inspection-sessions", SessionReply)
"""A session took a step; the key is its id, the value the session as it is now."""
