"""Great Expectations, which nobody else imports."""
