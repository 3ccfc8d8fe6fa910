"""Reading tables of sensor values from CSV files."""
