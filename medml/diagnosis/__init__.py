"""Diagnosis from CT: sections 3.1 and 4 of the document."""
