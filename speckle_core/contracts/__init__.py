"""The values passed between components, and the roles that components fill."""
