"""Drawing only: aggregates in, maps out."""
