"""The local stack: AWS, the API, the workers and the clock as processes of one machine."""
