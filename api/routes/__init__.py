"""The routes, one file per noun, found by scanning."""
