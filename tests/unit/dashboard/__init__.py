"""What serves the dashboard, and rules for its source, without a browser."""
