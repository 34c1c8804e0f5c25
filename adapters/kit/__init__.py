"""What several adapters need and no backend's words are in."""
