"""Bundled examples: two reports in our own words and an inert replica of the appliance they describe."""
