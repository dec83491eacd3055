"""The house: foundations, doors to the outside, front desk. See docs/decisions/ and the plan of the house."""
