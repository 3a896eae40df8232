"""Gates: checks with Great Expectations, which only this room imports."""
