"""Reads an execution history, in the shape of boto3's get_execution_history, wherever it came from."""
