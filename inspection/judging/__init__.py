"""Criteria, and the judgement of findings by them."""
