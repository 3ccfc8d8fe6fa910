"""The sensor model: autoencoder, scaling, windows, metadata."""
