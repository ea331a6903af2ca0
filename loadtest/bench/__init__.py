"""Benchmarks: what the proxy costs, beside others, on the machine where they run.

They report and never judge: figures of one run compare with each other, not with those of another
machine or another day. `command` runs all of it; `relay` looks at the relay's loop alone.
"""
