"""What is done about breaches, records and their repair."""
