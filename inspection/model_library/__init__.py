"""Loading and listing model files of every kind."""
