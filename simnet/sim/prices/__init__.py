"""Prices: what there is to pay for (keys), price lists from `models/costs/` (costs), what a step costs (pricing)."""
