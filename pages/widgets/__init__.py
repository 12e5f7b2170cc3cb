"""Building blocks of the pages: shared state, cached readers, and the λ scrubber."""
