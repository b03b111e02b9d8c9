"""What the hot paths cost, in bytecode instructions and in steps of SQLite: no clock, so no noise.

`baselines.json` has what each path cost when that was last accepted. `make counts` renews it.
"""
