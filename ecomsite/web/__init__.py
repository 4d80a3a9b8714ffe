"""How requests come in: whole before a thread is spent on one, and each kind with threads of its own."""
