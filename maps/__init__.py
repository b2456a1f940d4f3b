"""The drawing room: takes prepared counts and shapes, and draws them. It reads no database and fetches nothing."""
