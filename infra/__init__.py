"""What surrounds the product: resources, packaging, deployment and the laptop; never shipped to Lambda."""
