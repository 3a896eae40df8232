"""What becomes of the rows of a data set: filtered, split, counted into a vocabulary."""
