"""What every route shares: reading bodies and queries, keys, problems, pages."""
