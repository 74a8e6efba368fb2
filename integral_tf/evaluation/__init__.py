"""Records in, figures out: predictions, metrics, tables, what scores mean."""
