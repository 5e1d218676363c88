"""Write, run, debug, learn and analyse AWS Step Functions workflows in Jupyter."""

__version__ = "0.1.0"
