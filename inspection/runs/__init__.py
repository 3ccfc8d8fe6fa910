"""Running a pipeline over folders, files and frames."""
