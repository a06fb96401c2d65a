"""Reports: what each one computes, how it is run, and how it is kept."""
