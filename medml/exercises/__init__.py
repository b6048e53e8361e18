"""The checks of each notebook's exercises, with their wrong answers: nb01 for notebook 01."""
