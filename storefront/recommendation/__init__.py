"""Lists of products for a shopper: what others saw together, what is alike, and the reasons in words."""
