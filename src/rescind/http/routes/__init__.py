"""Our own routes, by what they are about."""
