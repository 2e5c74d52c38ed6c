"""Values that travel between components, and the roles that components fill."""
