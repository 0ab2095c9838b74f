"""From syntax to a checked, typed graph."""
