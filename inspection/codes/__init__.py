"""Reading codes (QR, Data Matrix, Code 128, EAN-13)."""
