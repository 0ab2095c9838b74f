"""What can be known about a graph without running it."""
