"""Campaigns, their gates and triggers, templates and coupons."""
