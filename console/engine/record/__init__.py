"""What the engine writes: the journal before the log, what may be in a body, anchors, declarations."""
