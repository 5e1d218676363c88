"""Strings and specifications for display: DOT, SVG, HTML, text. It never calls IPython."""
