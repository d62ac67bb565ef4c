"""One hypothesis profile for the unit tests: examples, not seconds, are the limit, and a failure can be replayed."""

from hypothesis import settings

settings.register_profile("carillon", deadline=None, print_blob=True)
settings.load_profile("carillon")
