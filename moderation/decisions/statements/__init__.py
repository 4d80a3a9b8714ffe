"""The statement of reasons: its document, its schema and its words."""
