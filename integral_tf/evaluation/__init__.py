"""Records in, figures out: predictions, metrics, tables, calibration."""
