"""The IPython extension: magics, completion, widgets, notebook files."""
