"""Tests of pure code: no AWS, no network, no sleeping."""
