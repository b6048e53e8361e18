"""The data chapter: what each data set is, how it comes here, and how it is read."""
