"""The product's own benchmarks: ``imageflow bench``.

``areas`` lists what can be measured. An area has measures, which run once (accuracy: the same data, seed and versions
give the same figures), and probes, which run several times in turn with the others (speed and memory: the median
counts). Each runs in a process of its own, started by ``runner`` through ``processes``.

A measure is a module with ``measure(data, …) -> list[Figure]`` and, if needed, ``NOTES``, Markdown for below its
figures; ``measure_process`` runs it. A probe is a module with ``ROWS`` and ``main``, see ``probing``. ``figures``
defines a figure, ``machine`` describes the computer, and ``page`` writes ``docs/performance.md``. To add an area, put
its modules into a folder here and one entry into ``areas``.
"""
