"""The shopper's side: what shoppers see, what they do, and which of the approved texts and lists serve them best."""
