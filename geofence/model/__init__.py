"""The nouns: frozen, typed, no machinery. Imports nothing of ours."""
