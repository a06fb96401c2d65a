"""An exchange in process: matching, margin of time, clearing."""
