"""Customers' rights: consent, and what becomes of what is stored about them."""
