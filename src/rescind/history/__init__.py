"""The past: states of an organization at a time, and what proves that its log was not altered."""
