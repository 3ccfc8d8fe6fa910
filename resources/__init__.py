"""Data of the product: messages, translations, sample parts, default pipelines; no code here imports another room."""
