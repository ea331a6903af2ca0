"""A long run at full load that asks one thing: does anything grow that should not?

`python -m loadtest soak`. The scripts, the server and the proxy are those of any scenario
(soak.yaml); what is new here is what is watched (levels.py) and how it is judged (trend.py).
"""
