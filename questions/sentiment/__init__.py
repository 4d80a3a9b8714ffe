"""What a customer felt."""
