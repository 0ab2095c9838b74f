"""From the graph to code, numbers and text; and the one door to Keras."""
