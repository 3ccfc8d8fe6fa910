"""The sensor models that the server scores with, loaded."""
