"""Arrays in, numbers out: moments, profiles, evaluations, attributions. No files, no plugins."""
