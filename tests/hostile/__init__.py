"""What only somebody hostile would ask, as data: tests look at the answers, the bench at what they cost."""
