"""Faults in a Kubernetes cluster, which is always named: a kubeconfig and a context, never "the current one"."""
