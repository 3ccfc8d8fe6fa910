"""The kinds of processing that pipelines are made of."""
