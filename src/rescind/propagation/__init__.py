"""How effective roles follow a change of the facts."""
