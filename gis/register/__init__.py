"""Structures: divisions, premises, buildings, dwellings, batches."""
