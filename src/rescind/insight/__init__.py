"""Metrics, monitoring, targets, advice, and the probe of revocations. It measures, and decides nothing."""
