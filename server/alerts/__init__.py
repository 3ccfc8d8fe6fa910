"""Alerts: raised once, cleared, acknowledged; delivered by mail, webhook, WebSocket, and to stations as a line stop."""
