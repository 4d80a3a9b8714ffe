"""Review decisions: what an answer does, several people on one item, second people, appeals, corrections, reasons."""
