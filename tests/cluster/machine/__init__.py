"""A real Kubernetes cluster for tests: built from Debian's packages, started in namespaces of its own, ended without a trace."""
