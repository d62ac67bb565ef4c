"""Event subscriptions, webhooks and alerts."""
