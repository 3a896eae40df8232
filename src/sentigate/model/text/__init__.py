"""From a raw text to token ids."""
