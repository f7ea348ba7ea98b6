"""Pages of the calendar office: the years for everybody, the drafts for the city, the hours for each division."""
