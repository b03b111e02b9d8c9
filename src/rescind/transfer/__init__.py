"""Facts in and out as files: changes a line, CSV lists, and bare (user, permission) pairs.

Reads files into changes and hands them to an `Authority` in batches. Knows nothing of the command
line, and nothing of SQL beyond the names of the queries that it asks.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.transfer.dates import DateOrder
    from rescind.transfer.export import everything, exported
    from rescind.transfer.formats import Format, Parsed, parse, parse_all
    from rescind.transfer.importer import BATCH_SIZE
    from rescind.transfer.loading import Import, Summary, forecasts, foresee, load, surveys
    from rescind.transfer.readers import Item, Source, read
    from rescind.transfer.sheets import Delimiter, Reading
    from rescind.transfer.since import LeftOut
    from rescind.transfer.survey import Survey
    from rescind.transfer.tables import Counts

__all__ = [
    "BATCH_SIZE",
    "Counts",
    "DateOrder",
    "Delimiter",
    "Format",
    "Import",
    "Item",
    "LeftOut",
    "Parsed",
    "Reading",
    "Source",
    "Summary",
    "Survey",
    "everything",
    "exported",
    "forecasts",
    "foresee",
    "load",
    "parse",
    "parse_all",
    "read",
    "surveys",
]

_HOMES = {
    "rescind.transfer.dates": "DateOrder",
    "rescind.transfer.export": "everything exported",
    "rescind.transfer.formats": "Format Parsed parse parse_all",
    "rescind.transfer.importer": "BATCH_SIZE",
    "rescind.transfer.loading": "Import Summary forecasts foresee load surveys",
    "rescind.transfer.readers": "Item Source read",
    "rescind.transfer.sheets": "Delimiter Reading",
    "rescind.transfer.since": "LeftOut",
    "rescind.transfer.survey": "Survey",
    "rescind.transfer.tables": "Counts",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
