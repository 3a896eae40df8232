"""The commands of the command line, one or a few of a kind in a file."""
