"""The commands of the rehearsal: rehearse, range, faults, and the world as a process."""
