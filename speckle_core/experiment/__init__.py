"""What a TOML file says, checked, and made into live objects."""
