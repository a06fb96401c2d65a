"""The chart worker: a process of its own that holds bars, computes indicators and makes Bokeh documents."""
