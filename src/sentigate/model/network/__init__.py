"""From token ids to a logit."""
