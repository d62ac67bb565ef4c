"""Carillon: multi-channel messaging campaigns as small steps over SQS and DynamoDB."""
