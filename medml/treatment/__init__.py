"""Treatment by reinforcement learning: section 3.2 of the document."""
