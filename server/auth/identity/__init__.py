"""Who a caller is: principals, passwords, tokens, secrets and sign-in limits."""
