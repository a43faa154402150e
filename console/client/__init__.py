"""How a console reaches a launch: the engine over its socket, or a saved log."""
