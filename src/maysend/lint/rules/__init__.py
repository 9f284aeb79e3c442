"""The rules of lint, one file a rule. Each module's docstring is the page of its rule."""
