"""Helpers for the course book "Breakthroughs of machine learning in healthcare"."""


class MedmlError(Exception):
    """What is wrong and how to mend it, in one sentence; the command line prints just that."""
