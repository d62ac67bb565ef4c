"""Store, validate, list and import contacts."""
