"""What people and models are asked: a folder for each question."""
