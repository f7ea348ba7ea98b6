"""The project's own tools: setting up, running, testing and checking. ``make`` is their front door."""
