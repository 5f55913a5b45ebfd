"""The rules of this tree.

Each takes the root of a tree and yields what it finds wrong, so each can be shown to fail.
"""
