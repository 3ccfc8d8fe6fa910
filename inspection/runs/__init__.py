"""Running a pipeline over image files and the frames of sources: one loop, one result type, one naming of overlays."""
