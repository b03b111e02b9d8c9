"""Decision points: what answers checks, lists and explanations. Reads only, and decides from the facts.

`questions` declares the public methods. `router` puts each question to the decision point that answers it: a
cached index of `replicas`, or `check`, `lists` and `explain`, which read the store.
"""
