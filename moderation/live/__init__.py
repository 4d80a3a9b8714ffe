"""What shoppers see: publication, its marks, its history, and recalls by a new policy."""
