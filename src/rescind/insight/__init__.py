"""The probe of revocations, and its targets. It measures, and decides nothing."""
