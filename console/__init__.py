"""The program: command line, console, engine and rehearsal."""
