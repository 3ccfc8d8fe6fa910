"""Export to OpenVINO FP32 and INT8, and the parity checks an export must pass."""
