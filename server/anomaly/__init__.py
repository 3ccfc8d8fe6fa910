"""The sensor anomaly API: scores of rows of sensor values, the models that give them, and streams of machines."""
