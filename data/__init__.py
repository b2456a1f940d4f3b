"""What enters and leaves as files."""
