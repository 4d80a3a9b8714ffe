"""The statistics of label quality: arrays in, figures out, no tables."""
