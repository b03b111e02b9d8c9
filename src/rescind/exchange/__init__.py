"""Facts in and out as files: changes a line, CSV lists, and bare (user, permission) pairs.

Reads files into changes and hands them to an `Authority` in batches. Knows nothing of the command
line, and nothing of SQL beyond the names of the export's queries.
"""

from rescind.exchange.export import everything, exported
from rescind.exchange.formats import Format, parse
from rescind.exchange.loading import BATCH_SIZE, Summary, foresee, load
from rescind.exchange.readers import Item, Source, read

__all__ = [
    "BATCH_SIZE",
    "Format",
    "Item",
    "Source",
    "Summary",
    "everything",
    "exported",
    "foresee",
    "load",
    "parse",
    "read",
]
