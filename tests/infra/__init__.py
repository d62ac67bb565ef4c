"""Tests of what surrounds the product: resources, packaging, deployment."""
