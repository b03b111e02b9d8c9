"""What there is to see: audits, and later metrics and targets. Reads, and decides nothing."""
