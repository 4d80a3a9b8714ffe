"""Which claims that the law cares about a draft makes; a model answers, taught by findings that people judged."""
