"""Decision points: what answers checks, lists and explanations. Reads only, decides from the facts."""
