"""The main window around the features: start, navigation, screens, actions."""
