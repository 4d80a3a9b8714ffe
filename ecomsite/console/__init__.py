"""The console: what people see of the desk."""
