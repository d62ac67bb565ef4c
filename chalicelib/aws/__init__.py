"""The adapters on AWS: the only place that knows DynamoDB, S3, SQS and their keys."""
