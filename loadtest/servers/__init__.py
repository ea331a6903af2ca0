"""Servers with limits, each a process of its own: the embedded one, and real ones when present."""
