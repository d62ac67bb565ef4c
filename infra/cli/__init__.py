"""The command line: campaigns as YAML files, imports with progress, flows watched; never shipped to Lambda."""
