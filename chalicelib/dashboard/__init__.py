"""The page for operators: static modules, and the few lines that serve them."""
