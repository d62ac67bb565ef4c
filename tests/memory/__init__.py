"""The ports in memory: what the use cases are tested on, held to the same contract as the adapters."""
