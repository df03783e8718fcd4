"""From a model to a design: :mod:`~mlpress.pipeline.compile`, and :mod:`~mlpress.pipeline.search` around it."""
