"""One thread per user: the bots, and the manager that starts, stops, watches and resumes them."""
