"""The rehearsal world: everything outside of the console, in one process, on one clock."""
