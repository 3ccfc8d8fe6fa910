"""The gRPC services: what ``resources/protos`` declares, done by the components of ``inspection``."""
