"""Process one step of an execution: decide, admit, claim, send, and store the result."""
