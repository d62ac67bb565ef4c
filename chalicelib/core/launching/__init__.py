"""Launch, trigger, schedule, estimate and control campaigns."""
