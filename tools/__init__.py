"""Developers' programs: set-up, data, notebooks, and the pages made from them."""
