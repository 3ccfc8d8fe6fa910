"""The HTTP application around the features: routing, limits, errors, documents."""
