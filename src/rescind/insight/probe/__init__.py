"""The probe: gives and takes access on purpose, and measures when every decision point follows.

`ways` are the ways in which access is gained and lost. `points` are what is asked. `measurement` does both at
the same time and compares the moments. `rounds` runs a probe of this system, `target` describes another one.
The probe writes to an organization of its own and to nothing else. It decides nothing.
"""

from rescind.insight.probe.measurement import Limits, Measurement, PointTimes, Violation
from rescind.insight.probe.points import AuthorityPoint, HttpPoint, Point, points_of
from rescind.insight.probe.rounds import Probe
from rescind.insight.probe.summary import Spread, Summary
from rescind.insight.probe.ways import ORGANIZATION

__all__ = [
    "ORGANIZATION",
    "AuthorityPoint",
    "HttpPoint",
    "Limits",
    "Measurement",
    "Point",
    "PointTimes",
    "Probe",
    "Spread",
    "Summary",
    "Violation",
    "points_of",
]
