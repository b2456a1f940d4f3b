"""Aggregates only: disclosure, density, roads, facilities, siting."""
