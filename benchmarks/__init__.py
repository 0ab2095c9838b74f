"""How fast compiled losses are, beside the same formulas written by hand, Keras' own, and a copy of the data."""
