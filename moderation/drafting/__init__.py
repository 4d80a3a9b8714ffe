"""From an order for copy to drafts that are checked and ranked."""
