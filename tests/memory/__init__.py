"""In-memory ports for the tests of use cases. They pass the same contract tests as the adapters."""
