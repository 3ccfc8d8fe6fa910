"""The product's own measurements: `make bench` runs them all and writes docs/performance.md."""
