"""One suite per port, run on every adapter: in memory, on ministack and on moto."""
