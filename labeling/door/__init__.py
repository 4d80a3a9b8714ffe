"""The door in front of Label Studio: who may reach what, and whose an answer is.

It also runs inside Label Studio's own process, whose packages are called as ours are (`core`): nothing but the standard
library and this package is imported here.
"""
