"""What each query's rows are. One module for each `.sql` file; constants are named as their queries.

`store.fetch(FIND_GROUP, params)` gives a list of `GroupRow`, whose fields are the query's columns, in order.
A test compares the two on each engine.
"""

from rescind.store.rows.query import Answers, Query, QueryWithParams, Row, bulk, typed, typed_each

__all__ = ["Answers", "Query", "QueryWithParams", "Row", "bulk", "typed", "typed_each"]
