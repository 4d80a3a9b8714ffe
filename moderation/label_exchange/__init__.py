"""Labels come in and go out: what the rows of a file mean for the queues of the desk."""
