"""Who is asked what, when: the rules of each queue, turns, seats, separation of duties, active learning."""
