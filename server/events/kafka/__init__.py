"""The event bus on Kafka; imported only where a broker is configured."""
