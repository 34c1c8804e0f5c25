"""What runs: a supervised link to each backend, the table of rooms, and the desk where commands are handed in."""
