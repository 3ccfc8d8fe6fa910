"""Who is asking: sign-in, tokens, API keys, rate limit."""
