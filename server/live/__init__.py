"""What happens on the server, sent to clients as it happens: executions and the state of the system."""
