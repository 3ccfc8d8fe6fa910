"""Workers that run executions: the walk over the steps, claims, leases, cancellation."""
