"""The command line: campaigns as YAML files, imports with progress, and flows. It is not part of the Lambda package."""
