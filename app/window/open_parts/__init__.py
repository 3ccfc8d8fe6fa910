"""Parts that a crash or a closed window has left undecided: offered after sign-in, to go on with or to cancel."""
