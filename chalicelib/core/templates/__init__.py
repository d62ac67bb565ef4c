"""Edit, publish and render templates in a sandbox."""
