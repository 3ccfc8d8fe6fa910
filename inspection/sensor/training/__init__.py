"""Training sensor models, in batches and online."""
