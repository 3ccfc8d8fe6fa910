"""Model files of sensors: ``model.npz`` and ``model.pth``."""
