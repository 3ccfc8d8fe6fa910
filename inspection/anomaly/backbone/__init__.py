"""Backbone networks: architectures, converted files, conversion from the pinned weight packages."""
