"""What answers are compared with: one module for each unit."""
