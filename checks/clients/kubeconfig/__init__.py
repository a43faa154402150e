"""A kubeconfig as kubectl and helm read it: where a cluster is, and as whom it is asked."""
