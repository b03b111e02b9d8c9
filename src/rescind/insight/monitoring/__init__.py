"""What Prometheus, Grafana and on-call people need: rules, a dashboard, targets and runbooks, as files.

The texts are the templates beside this module. Nothing here reads a database, and the same settings always
give the same bytes. Metrics are named as in `rescind.insight.metrics.catalogue`.
"""

from rescind.insight.monitoring.files import Options, monitoring_files, unreachable_alerts
from rescind.insight.monitoring.writing import Written, write_files

__all__ = ["Options", "Written", "monitoring_files", "unreachable_alerts", "write_files"]
