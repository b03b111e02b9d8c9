"""Which file has the store's name, and which incarnation of a database it has.

A file that is put in the place of another one, that lost its log, or that says it was restored, is noticed
while processes run.
A file that is overwritten in place under running processes is not: that destroys it
(https://www.sqlite.org/howtocorrupt.html).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from rescind.errors import StoreUnavailable
from rescind.model import Seals
from rescind.store.queries import named
from rescind.store.schema import Installation, read_installation, require_usable, seals_of
from rescind.store.sqlite.files import require_file
from rescind.store.sqlite.log_files import (
    LogFiles,
    found_beside,
    require_no_former_log,
    require_one_log,
)

LOOK_SECONDS: Final = 0.1
"""How long, at most, reads go on before the file's name and incarnation are looked at again."""


class Incarnation:
    """What a store knows of its file. Safe to use from many threads."""

    seals: Seals
    installation: Installation

    def __init__(
        self, path: str, renew: Callable[[], None], require_log: Callable[[], LogFiles]
    ) -> None:
        """`renew` lets no connection be used again that was opened before. `require_log` tells the files of
        the log, and raises StoreUnavailable if a connection writes another.
        """
        require_one_log(path)
        self.path, self._renew, self._require_log = path, renew, require_log
        self._log = LogFiles()
        self.number = 0
        """Goes up whenever it is another file or another incarnation."""
        self.next_look = self.next_reading = 0.0
        self._file = self._found()

    def look(self) -> None:
        """Open the file anew if another one has its name now. Raises StoreUnavailable if none has."""
        if self.is_replaced():
            import logging

            said = "%s was replaced by another file, which is opened"
            logging.getLogger(__name__).warning(said, self.path)
            self._renew()

    def require_same_file(self) -> None:
        """Raise StoreUnavailable if another file has the name now: a change would be lost with the former."""
        if self.is_replaced():
            self._renew()
            raise StoreUnavailable(path=self.path, why="the file was replaced by another one")

    def is_replaced(self) -> bool:
        """Whether another file has the name now. Raises StoreUnavailable if this one lost its log, or if the
        other one has it.
        """
        found = self._found()
        if found == self._file:
            if found_beside(self.path) != self._log:
                self._log = self._require_log()
            self.next_look = time.monotonic() + LOOK_SECONDS
            return False
        require_no_former_log(self.path, self._log)
        self._file = found
        self.number += 1
        self.next_reading = 0.0
        return True

    def read(self, connection: sqlite3.Connection) -> None:
        """Take over what the file says now. Raises SchemaMissing, SchemaTooOld or SchemaTooNew."""
        require_usable(connection.execute, _ours)
        found = read_installation(connection.execute, _ours, f"'{self._file}'")
        if getattr(self, "installation", None) != found:
            self.seals = seals_of(connection.execute, _ours, found)
            self.installation = found
            self.number += 1
        self.next_reading = time.monotonic() + LOOK_SECONDS

    def _found(self) -> int:
        require_file(self.path)
        try:
            return os.stat(self.path).st_ino
        except OSError as error:
            raise StoreUnavailable(path=self.path, why=error.strerror) from None


def _ours(sql: str) -> str:
    return named(sql, "sqlite")
