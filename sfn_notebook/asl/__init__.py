"""The definition language: text with positions, the field table, diagnostics, and the machine as a graph."""
