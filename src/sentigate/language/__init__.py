"""The language model that a classifier may start from (Dai and Le 2015), and its n-gram rivals."""
