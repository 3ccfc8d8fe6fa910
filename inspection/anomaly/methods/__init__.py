"""Anomaly methods behind one protocol: PatchCore and PaDiM."""
