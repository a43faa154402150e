"""The engine as a process: spawned, listed, supervised, and reached over its socket."""
