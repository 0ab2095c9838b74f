"""Graph to graph: the same meaning in a better form."""
