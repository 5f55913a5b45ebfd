"""What the readers of text formats share."""
