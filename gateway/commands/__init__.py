"""What can be typed after `conference-gateway`, a file each."""
