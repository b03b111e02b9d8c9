"""Every statement as each engine gets it, so that a diff shows what a change to a `.sql` file really changes.

`make sql-snapshots` writes them anew.
"""
