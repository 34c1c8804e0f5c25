"""What speaks to the phone systems, a folder each."""
