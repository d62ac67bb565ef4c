"""Contract tests of the ports: one suite per port, run in memory, on ministack and on moto."""
