"""The home screen: target and item, training, start of work."""
