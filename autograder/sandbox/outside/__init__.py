"""What starts the sandbox from outside and decides what it may see: bubblewrap, the laid-out library, the warm process."""
