"""Labels in the formats of others: readers and writers, each in a stream. They know no tables and no queue."""
