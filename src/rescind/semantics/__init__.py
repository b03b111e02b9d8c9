"""What access means, without input or output: `access` is the specification."""
