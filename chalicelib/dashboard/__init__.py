"""The dashboard for operators: static files and the routes that serve them."""
