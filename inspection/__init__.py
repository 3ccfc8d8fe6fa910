"""Image sources, pipelines and their components, anomaly models, judgement; no window and no database."""
