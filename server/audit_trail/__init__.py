"""The audit trail as administrators read it; ``server.audit`` writes it."""
