"""From the rows of a data set to clean texts, splits, a vocabulary and word vectors."""
