"""Everything that talks to AWS through boto3."""
