"""AI inspection of a part: an item's pipeline run on an uploaded image, judged by the item's criteria, recorded."""
