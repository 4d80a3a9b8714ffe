"""Events of shoppers: taken in, kept by the month, summed up, forgotten."""
