"""Process delivery reports, link visits and replies."""
