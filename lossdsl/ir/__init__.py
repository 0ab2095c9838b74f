"""The graph: interned, typed nodes, and the one way to make them."""
