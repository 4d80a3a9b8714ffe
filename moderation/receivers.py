"""What the desk does when labelling announces something: wake the drainer, nothing else."""
