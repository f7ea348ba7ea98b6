"""The verbs of the overseers, the division administrators and the discipline office, by noun."""
