"""Drug discovery: section 3.3 of the document."""
