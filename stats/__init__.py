"""The statistics of experiments: arrays and counts in, figures out, no tables, no settings, each with its source."""
