"""The campaign of the budget table on Carillon, Celery, DBOS and procrastinate, in CPU seconds."""
