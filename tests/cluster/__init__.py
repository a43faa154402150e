"""A real control plane for tests: built from source, started on loopback, with a small kubelet of our own."""
