"""Image sources: how soon one that was lost is back."""
