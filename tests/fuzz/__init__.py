"""Fuzzing: what the network or a file may hand us, each reader with the outcomes it may have."""
