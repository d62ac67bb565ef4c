"""Adapters for AWS. Only this package knows the keys and items of DynamoDB, S3 and SQS."""
