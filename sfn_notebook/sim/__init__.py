"""Answers the engine's commands: handlers, constants, recordings, mock files."""
