"""How a batch of changes is carried out: attempts, one transaction, and a handler for each change."""
