"""What the readers of binary formats share."""
