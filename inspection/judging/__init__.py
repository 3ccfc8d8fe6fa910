"""Acceptance criteria, and the judgement of findings by them."""
