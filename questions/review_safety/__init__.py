"""Whether a customer review may be shown; its decision hides the review, or shows it again."""
