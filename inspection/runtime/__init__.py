"""OpenVINO, subprocesses, settings and cancellation."""
