"""Unit tests of queues and timers."""
