"""The experiment file: YAML in, Experiment out, every error with its place and its fix."""
