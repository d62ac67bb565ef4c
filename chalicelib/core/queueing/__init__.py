"""Put step messages and jobs on their queues, and release timers."""
