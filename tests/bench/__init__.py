"""Cost of Carillon in calls, units, bytes, CPU time and seconds. The benchmark prints figures and asserts none."""
