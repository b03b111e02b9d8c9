"""The clock by which leases run out: it goes on while the machine sleeps, and nobody sets it."""

from __future__ import annotations

import time
from typing import Final

CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
clock = time.clock_gettime
"""`clock(CLOCK)` is in seconds."""
