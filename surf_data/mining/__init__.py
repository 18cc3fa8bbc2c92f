"""Mining assets."""
