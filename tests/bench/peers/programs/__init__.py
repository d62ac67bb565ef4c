"""Programs of the peers; they run in the peers' virtualenv and import nothing of Carillon."""
