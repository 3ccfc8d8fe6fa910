"""Wire schemas: what travels over REST, as pydantic models; shared by the server and its clients."""
