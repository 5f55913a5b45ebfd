"""Ground floor: where places are. Knows no device, no customer, no clock, no database."""
