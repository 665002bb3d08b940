"""The load: a Locust child process in the open model, the stream it sends, and the parent's end of it."""
