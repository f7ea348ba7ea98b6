"""The approval side's part of the API, by audience: ``token``, ``public``, ``window``, ``reviews``."""
