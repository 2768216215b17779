"""One module per format that facts are read from."""
