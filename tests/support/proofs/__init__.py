"""What the proofs of the sync protocol are made of: injected time, faults, places, invariants, planted bugs."""
