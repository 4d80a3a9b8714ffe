"""Whether people would accept a draft as it is: a model answers, people do not."""
