"""What starts the sandbox and decides what it may see: bubblewrap's call, the laid-out library, the warm process."""
